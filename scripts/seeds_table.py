#!/usr/bin/env python3
"""A Markdown table of variants that were trained with several seeds each.

  ... | scripts/seeds_table.py RESULTS.jsonl      reads NAME<tab>RECIPE[<tab>key.path=value...], one or more rows a variant

Every row names lines of RESULTS by their recipe and their `--set`; rows of one NAME are one variant. Differences are from the first
variant of the same recipe and length, seed by seed. Scripts of experiments write such rows when they are asked for --table. Python's standard
library only."""
import json
import sys

SCORES = [("accuracy", 4), ("macro_ap", 3)]


def gap(values, reference):
    """@param values, reference {seed: figure}
    @return the mean difference over the seeds of both, as text, and whether it has one sign in all of them"""
    gaps = [values[seed] - reference[seed] for seed in values if seed in reference]
    if not gaps:
        return ""
    one_sign = all(each > 0 for each in gaps) or all(each < 0 for each in gaps)
    return f"{sum(gaps) / len(gaps):+.3f}" + ("" if one_sign else " (signs differ)")


def latest(lines, recipe, changes):
    """Of a recipe that has changed since, the last line of each seed counts. @return {seed: line}"""
    return {line["seed"]: line for line in lines if line["recipe"] == recipe and line.get("set", []) == changes}


def core_seconds(lines):
    """Processor time of the runs; by the clock where a line does not tell it."""
    return [line.get("train_cpu_s", line["train_s"]) for line in lines]


def variants(lines, rows):
    """@return {name: (recipe and length, {seed: line})} of the variants that have lines, in the rows' order"""
    found = {}
    for row in rows:
        name, recipe, *changes = row.rstrip("\n").split("\t")
        kind = (recipe, *(change for change in changes if change.startswith("train.iterations=")))
        for seed, line in sorted(latest(lines, recipe, changes).items()):
            found.setdefault(name, (kind, {}))[1][seed] = line
    return found


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    with open(sys.argv[1]) as file:
        lines = [json.loads(line) for line in file]
    first, total_s = {}, 0.0
    heads = "".join(f" {score.replace('_', ' ')}, by seed | mean | against the first |" for score, _ in SCORES)
    print(f"| variant |{heads} core-s |")
    print("|---|" + "---|---|---|" * len(SCORES) + "---|")
    for name, (kind, by_seed) in variants(lines, sys.stdin).items():
        cells = [f"`{name}`"]
        for score, digits in SCORES:
            values = {seed: line[score] for seed, line in by_seed.items()}
            reference = first.setdefault((kind, score), (name, values))
            cells += [", ".join(f"{value:.{digits}f}" for value in values.values()), f"{sum(values.values()) / len(values):.3f}",
                      "" if reference[0] == name else gap(values, reference[1])]
        spent = core_seconds(by_seed.values())
        total_s += sum(spent)
        print("|", " | ".join(cells + [f"{sum(spent) / len(spent):.0f}"]), "|")
    print(f"\nTogether {total_s / 3600:.2f} core-hours.")


if __name__ == "__main__":
    main()
