"""One benchmark process: it prepares and warms up, says so, then runs one round for each line that it is sent.

Lines out: {"ready": true, "version": ...}, then {"seconds": ...} for each round, then {"peakMemoryBytes": ...} at the end of input.
"""

import argparse
import json
import resource
import sys
import time


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", type=json.loads, required=True, help="JSON with the fields of BenchShape")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mode", default="eager")
    return parser.parse_args()


def say(value):
    print(json.dumps(value), file=PIPE, flush=True)


def waits():
    """One item for each round asked for."""
    for line in sys.stdin:
        if line.strip() == "end":
            break
        yield


def finish():
    say({"peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})


def serve(step, version):
    """Warms up, then measures `step` as often as asked."""
    step()
    say({"ready": True, "version": version})
    for _ in waits():
        start = time.perf_counter()
        step()
        say({"seconds": time.perf_counter() - start})
    finish()


# Libraries print to stdout as they please; the protocol keeps the real one.
PIPE = sys.stdout
sys.stdout = sys.stderr
