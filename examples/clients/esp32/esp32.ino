// Pilotbed: an ESP32 that sends a reading each ten seconds, at QoS 1, with its status and last will. Without receipts.
//
// Board: esp32 by Espressif. Libraries (Library Manager): "MQTT" by Joël Gähwiler, 2.5 or newer. PubSubClient is not fit:
// it publishes at QoS 0 only, which nobody guarantees anything for.
// The project's tests have no board: they check that this is C++, and never run it.
#include <MQTT.h>
#include <WiFi.h>
#include <sys/time.h>
#include <time.h>

const char WIFI[] = "…", WIFI_PASSWORD[] = "…";
const char BROKER[] = "192.168.0.10";  // from the credentials you were given, as everything below
const int PORT = 18830;
const char USER[] = "…", PASSWORD[] = "…";
const char READINGS[] = "pilots/office-temperature/office/readings";
const char STATUS[] = "pilots/office-temperature/office/status";

WiFiClient network;
MQTTClient client(512);  // bytes of a whole packet

long long nowMs() {
  struct timeval now;
  gettimeofday(&now, nullptr);
  return now.tv_sec * 1000LL + now.tv_usec / 1000;
}

bool say(const char topic[], const char payload[], bool retained) {
  return client.publish(topic, payload, retained, 1);  // QoS 1: true once the broker has acknowledged it
}

void connect() {
  while (WiFi.status() != WL_CONNECTED) delay(500);
  while (time(nullptr) < 1700000000) delay(500);  // no reading without the right time
  while (!client.connect(USER, USER, PASSWORD)) delay(5000);
  char payload[80];
  snprintf(payload, sizeof payload, "{\"state\": \"online\", \"at\": %lld}", nowMs());
  say(STATUS, payload, true);
}

void setup() {
  WiFi.begin(WIFI, WIFI_PASSWORD);
  configTime(0, 0, "kr.pool.ntp.org");  // the clock is UTC
  client.begin(BROKER, PORT, network);
  client.setOptions(30, true, 5000);  // keep alive in s, a clean session, how long to wait for an answer in ms
  client.setWill(STATUS, "{\"state\": \"offline\"}", true, 1);
}

void loop() {
  static char waiting[128] = "";  // the reading that the broker has not acknowledged yet
  static unsigned long measured = 0;
  client.loop();
  if (!client.connected()) connect();
  if (!waiting[0] && millis() - measured >= 10000) {
    measured = millis();
    float celsius = temperatureRead();  // the chip's own; put your sensor here
    snprintf(waiting, sizeof waiting, "{\"ts\": %lld, \"values\": {\"temperature\": %.2f}}", nowMs(), celsius);
  }
  if (waiting[0] && say(READINGS, waiting, false)) waiting[0] = 0;  // else the same again, with the time it was measured
  delay(10);
}
