#!/bin/sh
# Send readings with mosquitto_pub alone (Debian: mosquitto-clients). QoS 1, without receipts.
#
#   PILOTBED_PASSWORD=… sh publish.sh HOST PORT USER PILOT SLOT <readings
#
# Standard input has one message a line, such as {"ts": 1772323207123, "values": {"pm25": 21.5}}. One connection sends them
# all; when the input ends it says offline. If it is cut, the broker says offline for it (the last will, for all its slots).
set -eu
host=$1 port=$2 user=$3 pilot=$4 slot=$5

# A configuration file keeps the password out of the list of processes. In MQTT 5 the broker says so if it refuses a message.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
umask 077
cat >"$folder/mosquitto_pub" <<END
-h $host
-p $port
-u $user
-P $PILOTBED_PASSWORD
-i $user
-V mqttv5
-q 1
END
say() { XDG_CONFIG_HOME=$folder mosquitto_pub "$@"; }
status() { say -t "pilots/$pilot/$slot/status" -r -m "{\"state\": \"$1\", \"at\": $(date +%s)}"; }

status online
say -t "pilots/$pilot/$slot/readings" -l --will-topic "pilots/$pilot/$slot/status" --will-payload '{"state": "offline"}' \
    --will-qos 1 --will-retain
status offline
