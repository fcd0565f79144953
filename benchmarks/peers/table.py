# SPDX-License-Identifier: MIT
"""Makes one Markdown table of the JSON of some runs: table.py RUN.json... >TABLE.md

Times, shares, ratios, seconds and megabytes are medians over the runs. A ratio is taken within a run, so that both
sides had the same machine.
"""

import json
import statistics
import sys
from pathlib import Path

from engines import ENGINES
from networks import NETWORKS, Layers

TITLES = {"atrous": "atrous"} | {name: engine.title for name, engine in ENGINES.items()}


def median(values):
    return statistics.median(values) if values else None


def number(value, form):
    return "-" if value is None else format(value, form)


class Case:
    """A network on so many threads, in all runs."""

    def __init__(self, runs, network, threads):
        self.network, self.threads = network, threads
        mine = [[r for r in run["results"] if (r["network"], r["threads"]) == (network, threads)] for run in runs]
        self.runs = [{r["engine"]: r for r in results} for results in mine if results]

    def of(self, engine, what):
        """The median of a number over the runs."""
        return median([run[engine][what] for run in self.runs if engine in run and run[engine][what] is not None])

    def start(self, engine):
        return f"{number(self.of(engine, 'first'), '.2f')}, {number(self.of(engine, 'memory'), '.0f')}"

    def share(self):
        flops = 2 * Layers(self.network).multiply_adds()
        ours = [run["atrous"] for run in self.runs if "atrous" in run]
        return median([flops / r["median"] / 1e6 / r["peak"] for r in ours])

    def ratio(self):
        """The fastest peer's time over ours."""
        ratios = []
        for run in self.runs:
            peers = [r["median"] for name, r in run.items() if name != "atrous"]
            if peers and "atrous" in run:
                ratios.append(min(peers) / run["atrous"]["median"])
        return median(ratios)

    def equal(self):
        """Pixels labelled as the first peer labels them, in the worst of the runs."""
        shares = [run["atrous"]["equal"] for run in self.runs if "atrous" in run and run["atrous"]["equal"] is not None]
        return 100 * min(shares) if shares else None


def cases(runs):
    present = {(r["network"], r["threads"]) for run in runs for r in run["results"]}
    order = sorted(present, key=lambda p: (list(NETWORKS).index(p[0]), p[1]))
    return [Case(runs, *each) for each in order]


def rows(head, lines):
    return [f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines]]


def changed_labels(runs):
    """Of which network and engine the label map is not the same in all runs and on any number of threads."""
    maps = {}
    for run in runs:
        for r in run["results"]:
            maps.setdefault(f"{r['network']} in {TITLES[r['engine']]}", set()).add(r["labels"])
    return [name for name, found in maps.items() if len(found) > 1]


def markdown(runs):
    engines = [name for name in TITLES if any(r["engine"] == name for run in runs for r in run["results"])]
    titles = [TITLES[name] for name in engines]
    all_cases = cases(runs)
    times = [
        [case.network, str(case.threads), *(number(case.of(name, "median"), ".1f") for name in engines)]
        + [number(case.ratio(), ".2f"), number(case.share(), ".0%"), number(case.equal(), ".3f")]
        for case in all_cases
    ]
    starts = [
        [case.network, *(case.start(name) for name in engines)]
        for case in all_cases
        if case.threads == min(c.threads for c in all_cases)
    ]
    changed = changed_labels(runs)
    versions = {TITLES[name]: version for run in runs for name, version in run["versions"].items()}
    compilers, machines = ({run[what] for run in runs} for what in ("compiler", "machine"))
    ours = [r for run in runs for r in run["results"] if r["engine"] == "atrous"]
    lines = [
        f"Runs: {', '.join(run['date'] for run in runs)}. Machine: {'; '.join(sorted(machines))}.",
        f"Compiler: {'; '.join(sorted(compilers))}. Versions: {', '.join(map(' '.join, versions.items()))}.",
        "",
        "Milliseconds, median. Ratio: the fastest peer's time over ours. Share: of the peak of multiply-adds, measured",
        "in the same run. Equal: per cent of the pixels labelled as the first peer labels them.",
        "",
        *rows(["network", "threads", *titles, "ratio", "share", "equal"], times),
        "",
        "Seconds to the first label map, peak megabytes (of them about 50 for Python and NumPy, but in atrous):",
        "",
        *rows(["network", *titles], starts),
        "",
        f"Rounds: {sum(len(r['rounds']) for r in ours)}; "
        f"repeated, as the machine was not quiet: {sum(r['noisy'] for r in ours)}.",
        f"Label maps that differ between runs or numbers of threads: {', '.join(changed) or 'none'}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown([json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]]), end="")
