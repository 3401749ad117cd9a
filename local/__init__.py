"""What a laptop has instead of Azure: stand-ins, demo and command line. Never deployed."""
