"""Run the benchmarks named on the command line, or all of them."""

import argparse
import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import benchmarks

NAMES = [module.name for module in iter_modules(benchmarks.__path__) if not module.name.startswith(("_", "timing"))]

parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; all of them without a name")
parser.add_argument("--json", type=Path, help="also write the figures here")
arguments = parser.parse_args()
if unknown := set(arguments.names) - set(NAMES):
    parser.error(f"no such benchmark: {', '.join(sorted(unknown))} (choose from {', '.join(NAMES)})")
results = {}
for name in arguments.names or NAMES:
    print(f"\n## {name}\n")
    results[name] = import_module(f"benchmarks.{name}").main()
if arguments.json:
    arguments.json.write_text(json.dumps(results, indent=2) + "\n")
