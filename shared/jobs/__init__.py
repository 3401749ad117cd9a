"""Job messages, spreading over time, and the queue."""
