"""The local stand-in for the Azure Functions host: what triggers our functions on a laptop."""
