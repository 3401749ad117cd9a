"""Azure Resource Manager: typed calls in, model out, one file per API."""
