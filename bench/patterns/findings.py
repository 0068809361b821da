"""What `whocalls check` says of a case, of captures or of logs, as far as patterns go."""

import json
import os
import subprocess

WHOCALLS = os.environ["WHOCALLS"]
RULES = {"first_contact", "beacon", "heartbeat", "permanent", "dead_server", "upload", "regular_caller", "dns_tunnel", "dns_commands", "made_up_names", "icmp_tunnel"}
FELT = ("medium", "high", "critical")


def findings(*files, rules=RULES, least=FELT):
    """Findings of these rules, of these severities."""
    done = subprocess.run(["nice", "-n", "10", WHOCALLS, "check", "--json", "--quiet", *map(str, files)], capture_output=True, text=True)
    if not done.stdout:
        raise SystemExit(f"{files}: {done.stderr[:500]}")
    found = json.loads(done.stdout)["findings"]
    return [it for it in found if it["rule"] in rules and it["severity"] in least]


def place(finding):
    """Whose, to whom, and the port, as far as each is known."""
    about, facts = finding["about"], finding["facts"]
    whose = about.get("device") or about.get("program")
    remote = about.get("remote") or {}
    port = facts.get("port") or facts.get("local_port") or remote.get("port")
    return whose, facts.get("seen"), str(port) if port else None


def says(finding):
    keep = ("points", "beats", "expected", "period", "mean_gap", "jitter", "at_least", "of_the_look", "alike", "bytes_each", "kind", "sent", "received", "failed", "active", "program_is", "second_reason", "opened_again", "heartbeat", "chance")
    facts = finding["facts"]
    long = ("period", "mean_gap", "at_least", "active", "heartbeat")
    words = [f"{key} {facts[key] / 1e9:.1f} s" if key in long else f"{key} {facts[key]}" for key in keep if key in facts]
    return ", ".join(words)
