"""What measuring costs: the harness against a bare loop, each driver against its vendor's tool."""
