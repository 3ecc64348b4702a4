"""The commands of `refreshbench`, one file each; `bench.cli` puts them together."""
