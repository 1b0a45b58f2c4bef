# Short names for the scripts; each of them does its own set-up.
.PHONY: demo check full format docs bench bench-symbols

demo check:
	./$@

full:
	./check full

format:
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

docs:
	.venv/bin/python -m qgserver.settings > docs/settings.md

bench:
	bench/run

bench-symbols:
	./bootstrap && .venv/bin/python bench/symbols.py build/bench
