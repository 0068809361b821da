#!/usr/bin/env python3
"""Checks the judge itself: what score.py must call right, and what it must not."""

import io
import json
import unittest

import observed
import score

SECOND = 1_000_000_000
# 2026-11-22T10:15:00Z
BEGIN = 1_795_342_500 * SECOND


def act(**members):
    return score.Act({
        "case": "some", "role": "under test", "pid": 7, "started_ticks": 70, "exe": "/w/some", "name": "some", "netns": 5,
        "protocol": "tcp", "direction": "outbound", "local": {"ip": "10.77.0.1", "port": 1000},
        "remote": {"ip": "10.77.0.2", "port": 80}, "ip_protocol": None, "bytes_sent": 100, "bytes_received": 0,
        "result": "done", "errno": None, "phase": None, "from_ns": BEGIN, "until_ns": BEGIN + SECOND, "asked": None,
    } | members)


def process(pid=7, ticks=70, name="some", path="/w/some"):
    return {"id": f"{pid}-{ticks}-9f9f9f9f", "pid": pid, "name": name, "path": path}


def line(**members):
    return {
        "type": "connection", "change": "closed", "time": "2026-11-22T10:15:00.500000000Z", "id": "a", "protocol": "tcp",
        "state": "closed", "local": {"ip": "10.77.0.1", "port": 1000},
        "remote": {"ip": "10.77.0.2", "port": 80, "name": None}, "netns": 5, "opened": "2026-11-22T10:15:00.000000001Z",
        "error": None, "bytes_sent": 105, "bytes_received": None, "process": process(),
    } | members


class Judge(unittest.TestCase):
    def check(self, wrong, truth, *lines):
        """`wrong`: the marks that must not be right, of one act."""
        text = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in lines)
        stream = observed.Stream(io.BytesIO(text.encode()), {5})
        score.judge_all([truth], stream)
        self.assertEqual({mark for mark, right in truth.marks.items() if not right}, set(wrong.split()))

    def test_the_same_is_right(self):
        self.check("", act(), line())

    def test_who(self):
        self.check("process", act(), line(process=process(ticks=71)))
        self.check("process", act(), line(process=process(pid=8)))
        self.check("executable", act(), line(process=process(path="/w/other")))
        self.check("process executable name", act(), line(process=None))

    def test_bytes(self):
        self.check("bytes", act(), line(bytes_sent=111))
        self.check("bytes", act(), line(bytes_sent=None))
        self.check("bytes", act(), line(bytes_received=1))
        self.check("", act(bytes_sent=None), line(bytes_sent=None))

    def test_another_connection_is_no_answer(self):
        nothing = "seen process executable name ports bytes"
        self.check(nothing, act())
        self.check(nothing, act(), line(local={"ip": "10.77.0.1", "port": 1001}))
        self.check(nothing, act(), line(local={"ip": "10.77.0.3", "port": 1000}))
        self.check(nothing, act(), line(remote=None))
        self.check(nothing, act(), line(netns=6))
        self.check(nothing, act(), line(protocol="udp"))
        self.check(nothing, act(), line(opened="2026-11-22T10:16:00.000000000Z"))

    def test_what_was_known_once_stays_known(self):
        self.check("", act(), line(), line(local={"ip": "0.0.0.0", "port": 0}, bytes_sent=None, process=None))

    def test_one_connection_answers_one_act(self):
        stream = observed.Stream(io.BytesIO((json.dumps(line(), separators=(",", ":")) + "\n").encode()), {5})
        acts = [act(), act()]
        score.judge_all(acts, stream)
        self.assertEqual([each.marks["seen"] for each in acts], [True, False])

    def test_failures(self):
        truth = {"result": "failed", "errno": 101, "phase": "connect", "local": None}
        error = {"errno": 101, "word": "no route", "phase": "connect"}
        self.check("", act(**truth), line(state="failed", error=error))
        self.check("state", act(**truth), line(error=error))
        self.check("error", act(**truth), line(state="failed", error=error | {"errno": None}))
        self.check("error", act(**truth), line(state="failed", error=error | {"word": None}))
        self.check("error", act(**truth), line(state="failed"))
        given_up = truth | {"result": "given_up", "errno": None, "phase": "handshake"}
        self.check("", act(**given_up), line(state="failed", error=error | {"errno": None, "phase": "handshake"}))

    def test_ports(self):
        portless = {"local": {"ip": None, "port": None}}
        self.check("ports", act(), line(**portless))
        error = {"errno": 101, "word": "no route", "phase": "connect"}
        truth = act(result="failed", errno=101, phase="connect")
        self.check("", truth, line(state="failed", error=error, **portless))

    def test_owners(self):
        first = {"pid": 6, "started_ticks": 60, "exe": "/w/first", "until_ns": BEGIN + 200_000_000}
        last = {"pid": 7, "started_ticks": 70, "exe": "/w/some", "until_ns": BEGIN + SECOND}
        opened = line(change="opened", time="2026-11-22T10:15:00.000000001Z", process=process(6, 60, "first", "/w/first"))
        self.check("", act(owners=[first, last]), opened, line())
        self.check("owners", act(owners=[first, last]), line())
        self.check("owners", act(owners=[first, last]), line(time="2026-11-22T10:15:00.000000001Z"))

    def test_names(self):
        event = {"type": "event", "kind": "name_seen", "netns": 5, "name": "a.example.", "process_id": "7-70-9f9f9f9f"}
        self.check("", act(asked="a.example"), line(), event)
        self.check("asked", act(asked="a.example"), line(), event | {"process_id": "8-70-9f9f9f9f"})
        self.check("asked", act(asked="a.example"), line())

    def test_sockets_without_a_peer(self):
        packet = {"protocol": "packet", "local": None, "remote": None}
        self.check("", act(**packet), line(**packet, process=process(9)), line(**packet, id="b"))
        self.check("seen process executable name bytes", act(**packet), line(**packet, process=process(9)))
        raw = {"protocol": "raw", "ip_protocol": 253, "local": None, "remote": {"ip": "10.77.0.2", "port": None}}
        anyone = {"local": {"ip": "0.0.0.0", "port": None}, "remote": None}
        self.check("", act(**raw), line(protocol="raw", ip_protocol=253, **anyone))
        self.check("seen process executable name bytes", act(**raw), line(protocol="raw", ip_protocol=1, **anyone))


class Peers(unittest.TestCase):
    def check(self, expected, read, text):
        connections = observed.once(read(text.splitlines()))
        self.assertEqual(score.shares_of([act()], score.Index(connections, lenient=True)), expected)

    def test_ss(self):
        users = 'users:(("some",pid=7,fd=3))'
        connection = "tcp   ESTAB 0 0 10.77.0.1:1000 10.77.0.2:80 "
        self.check("1", observed.ss, connection + users)
        self.check("1", observed.ss, f"{connection}{users}\n{connection}")
        self.check("0 (1)", observed.ss, connection)
        self.check("0", observed.ss, connection.replace("1000", "1001") + users)

    def test_bandwhich(self):
        connection = 'connection: <1795342500> <near0>:1000 => 10.77.0.2:80 (tcp) up/down Bps: 1/2 process: "{}"'
        self.check("1", observed.bandwhich, connection.format("some"))
        self.check("0 (1)", observed.bandwhich, connection.format("<UNKNOWN>"))

    def test_rustnet(self):
        connection = {
            "event": "connection_closed", "protocol": "TCP", "source_ip": "10.77.0.1", "source_port": 1000,
            "destination_ip": "10.77.0.2", "destination_port": 80,
        }
        self.check("1", observed.rustnet, json.dumps(connection | {"pid": 7, "process_name": "some"}))
        self.check("0 (1)", observed.rustnet, json.dumps(connection | {"pid": 8, "process_name": "other"}))
        self.check("0 (1)", observed.rustnet, json.dumps(connection))

    def test_nethogs(self):
        lines = ["Refreshing:\n", "/w/some/7/0\t90\t10\n", "unknown TCP/0/0\t5\t5\n"]
        self.assertEqual(score.bytes_named([act()], observed.nethogs(lines)), "100 % of bytes")


if __name__ == "__main__":
    unittest.main()
