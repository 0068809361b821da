#!/usr/bin/env python3
"""Prints what one look costs here: CPU in ms and peak memory in MiB, full tier and polling.

usage: cost.py RUNS
"""

import sys

import meter

results = meter.medians([meter.FULL, meter.POLLING], int(sys.argv[1]))
print(*(f"{result.cpu * 1000:.1f} {result.peak_mib:.0f}" for result in results.values()))
