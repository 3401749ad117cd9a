"""What a customer and an operator are shown."""
