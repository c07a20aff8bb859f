"""The values by which a message's fields say that there is none.

Source: the ``invalid`` attributes of MAVLink's message definitions (dialect ``ardupilotmega`` with all that it includes), and
below them what the definitions say in words alone. NaN means it everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

STATED: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "AIRSPEED": {"temperature": 32767},
        "ATTITUDE_QUATERNION": {"repr_offset_q": 0},
        "AUTOPILOT_STATE_FOR_GIMBAL_DEVICE": {"angular_velocity_z": 0, "landed_state": 0, "q_estimated_delay_us": 0,
            "v_estimated_delay_us": 0},
        "BATTERY_STATUS": {"battery_remaining": -1, "current_battery": -1, "current_consumed": -1, "energy_consumed": -1,
            "temperature": 32767, "voltages": 65535},
        "CAMERA_FOV_STATUS": {"alt_camera": 2147483647, "alt_image": 2147483647, "lat_camera": 2147483647,
            "lat_image": 2147483647, "lon_camera": 2147483647, "lon_image": 2147483647},
        "CAMERA_IMAGE_CAPTURED": {"time_utc": 0},
        "CAMERA_INFORMATION": {"firmware_version": 0, "gimbal_device_id": 0, "lens_id": 0, "resolution_h": 0,
            "resolution_v": 0},
        "CONTROL_SYSTEM_STATE": {"airspeed": -1},
        "DISTANCE_SENSOR": {"covariance": 255, "horizontal_fov": 0, "quaternion": 0, "signal_quality": 0,
            "vertical_fov": 0},
        "FLIGHT_INFORMATION": {"arming_time_utc": 0, "flight_uuid": 0, "landing_time": 0, "takeoff_time_utc": 0},
        "GIMBAL_DEVICE_ATTITUDE_STATUS": {"gimbal_device_id": 0},
        "GIMBAL_DEVICE_INFORMATION": {"cap_flags2": 0, "gimbal_device_id": 0, "uid": 0},
        "GLOBAL_POSITION_INT": {"hdg": 65535},
        "GLOBAL_POSITION_SENSOR": {"lat": 2147483647, "lon": 2147483647},
        "GPS2_RAW": {"cog": 65535, "eph": 65535, "epv": 65535, "satellites_visible": 255, "vel": 65535, "yaw": 0},
        "GPS_INPUT": {"hdop": 65535, "vdop": 65535},
        "GPS_RAW_INT": {"cog": 65535, "eph": 65535, "epv": 65535, "satellites_visible": 255, "vel": 65535, "yaw": 0},
        "HIGH_LATENCY": {"gps_nsat": 255},
        "HIGH_LATENCY2": {"battery": -1},
        "HIL_GPS": {"cog": 65535, "eph": 65535, "epv": 65535, "satellites_visible": 255, "vel": 65535},
        "HIL_OPTICAL_FLOW": {"distance": -1},
        "HIL_RC_INPUTS_RAW": {"rssi": 255},
        "LOGGING_DATA": {"first_message_offset": 255},
        "LOGGING_DATA_ACKED": {"first_message_offset": 255},
        "LOG_ENTRY": {"time_utc": 0},
        "MEMORY_VECT": {"ver": 0},
        "MISSION_CURRENT": {"mission_mode": 0, "mission_state": 0, "total": 65535},
        "OBSTACLE_DISTANCE": {"distances": 65535},
        "ODOMETRY": {"quality": 0},
        "ONBOARD_COMPUTER_STATUS": {"cpu_combined": 255, "cpu_cores": 255, "fan_speed": 32767, "gpu_combined": 255,
            "gpu_cores": 255, "link_rx_max": 4294967295, "link_rx_rate": 4294967295, "link_tx_max": 4294967295,
            "link_tx_rate": 4294967295, "ram_total": 4294967295, "ram_usage": 4294967295, "storage_total": 4294967295,
            "storage_type": 4294967295, "storage_usage": 4294967295, "temperature_board": 127, "temperature_core": 127},
        "OPEN_DRONE_ID_LOCATION": {"altitude_barometric": -1000, "altitude_geodetic": -1000, "direction": 36100,
            "height": -1000, "latitude": 0, "longitude": 0, "timestamp": 65535},
        "OPEN_DRONE_ID_SYSTEM": {"area_ceiling": -1000, "area_floor": -1000, "operator_altitude_geo": -1000,
            "operator_latitude": 0, "operator_longitude": 0},
        "OPEN_DRONE_ID_SYSTEM_UPDATE": {"operator_altitude_geo": -1000, "operator_latitude": 0, "operator_longitude": 0},
        "PARAM_EXT_REQUEST_READ": {"param_index": -1},
        "PARAM_REQUEST_READ": {"param_index": -1},
        "RADIO_STATUS": {"noise": 255, "remnoise": 255, "remrssi": 255, "rssi": 255},
        "RAW_PRESSURE": {"press_diff1": 0, "press_diff2": 0},
        "RC_CHANNELS_OVERRIDE": {"chan10_raw": 0, "chan11_raw": 0, "chan12_raw": 0, "chan13_raw": 0, "chan14_raw": 0,
            "chan15_raw": 0, "chan16_raw": 0, "chan17_raw": 0, "chan18_raw": 0, "chan1_raw": 65535, "chan2_raw": 65535,
            "chan3_raw": 65535, "chan4_raw": 65535, "chan5_raw": 65535, "chan6_raw": 65535, "chan7_raw": 65535,
            "chan8_raw": 65535, "chan9_raw": 0},
        "RC_CHANNELS_SCALED": {"chan1_scaled": 32767, "chan2_scaled": 32767, "chan3_scaled": 32767,
            "chan4_scaled": 32767, "chan5_scaled": 32767, "chan6_scaled": 32767, "chan7_scaled": 32767,
            "chan8_scaled": 32767, "rssi": 255},
        "SCALED_IMU2": {"temperature": 0},
        "SCALED_IMU3": {"temperature": 0},
        "SCALED_PRESSURE": {"temperature_press_diff": 0},
        "SCALED_PRESSURE2": {"temperature_press_diff": 0},
        "SCALED_PRESSURE3": {"temperature_press_diff": 0},
        "SIM_STATE": {"lat_int": 0, "lon_int": 0},
        "SYS_STATUS": {"battery_remaining": -1, "current_battery": -1, "voltage_battery": 65535},
        "TRAJECTORY_REPRESENTATION_WAYPOINTS": {"command": 65535},
        "UAVCAN_NODE_INFO": {"sw_vcs_commit": 0},
        "UTM_GLOBAL_POSITION": {"update_rate": 0},
        "WINCH_STATUS": {"temperature": 32767},
        "WIND_COV": {"horiz_accuracy": 0, "vert_accuracy": 0},
    }
)  # fmt: skip
IN_WORDS: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "BATTERY2": {"current_battery": -1},
        "EXTENDED_SYS_STATE": {"landed_state": 0, "vtol_state": 0},
        "GENERATOR_STATUS": {
            "generator_speed": 65535, "generator_temperature": 32767, "rectifier_temperature": 32767,
            "runtime": 4294967295, "time_until_maintenance": 2147483647,
        },
        "MANUAL_CONTROL": {"x": 32767, "y": 32767, "z": 32767, "r": 32767},
        "OPEN_DRONE_ID_LOCATION": {"speed_horizontal": 25500, "speed_vertical": 6300},
        "RADIO": {"rssi": 255, "remrssi": 255, "noise": 255, "remnoise": 255},
        "RC_CHANNELS": {"rssi": 255},
        "RC_CHANNELS_RAW": {"rssi": 255},
        "SMART_BATTERY_INFO": {
            "capacity_full": -1, "capacity_full_specification": -1, "charging_minimum_voltage": 65535, "cycle_count": 65535,
            "discharge_minimum_voltage": 65535, "resting_minimum_voltage": 65535,
        },
    }
)  # fmt: skip
INVALID: Final[Mapping[tuple[str, str], int]] = MappingProxyType(
    {
        (message, field): value
        for said in (STATED, IN_WORDS)
        for message, of in said.items()
        for field, value in of.items()
    }
)
