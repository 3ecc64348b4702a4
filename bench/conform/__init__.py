"""The contract: properties that any store can be held to, and the harness that holds it to them."""
