"""A simulated Azure: Resource Manager, managed identity, activity logs, Capture and Event Grid."""
