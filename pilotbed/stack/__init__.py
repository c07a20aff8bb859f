"""The embedded local stack: PostgreSQL and Mosquitto as foreground children, and the processes that stand on them."""
