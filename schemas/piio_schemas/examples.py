"""One example of each document, as the documentation and the AsyncAPI document show it."""

from typing import Any

ECHO = {"boot": "5f0c", "connection": 1, "tick": 8131.25}

CONFIGURATION = {
    "store": "b1946ac9",
    "revision": 7,
    "epoch": 3,
    "updated": "2026-11-21T09:30:00Z",
    "by": "anna",
    "points": {
        "tank": {
            "interface": "adc", "channel": "0", "direction": "input", "label": "Tank level",
            "equation": "(float(x) / 1023) * 100", "unit": "%", "settings": {},
            "period": 0.1, "idle_period": 10, "deadband": 0, "history": True, "events": False,
            "sample_rate": None,
        },
        "pump": {
            "interface": "gpio", "channel": "17", "direction": "output", "label": "Pump",
            "equation": None, "inverse": None, "unit": "", "settings": {"active_low": False},
            "on_start": "off", "on_lost": "off", "lease": 10, "max_on": None, "min_on": 0, "min_off": 0,
            "rate": None, "interlock": None,
        },
    },
    "displays": {
        "d1": {
            "type": "progress", "point": "tank", "label": "", "options": {},
            "place": {"x": 0, "y": 0, "w": 3, "h": 2},
        },
    },
}  # fmt: skip

CAPABILITIES = {
    "agent": "demo",
    "boot": "5f0c",
    "software": "piio 0.1.0",
    "board": {"model": "Raspberry Pi 5", "hostname": "demo", "mac": "d8:3a:dd:00:00:01", "ip": "192.0.2.7"},
    "interfaces": {
        "gpio": {
            "driver": "gpiod",
            "title": "GPIO",
            "ok": True,
            "channels": {
                "17": {
                    "label": "GPIO17 (pin 11)",
                    "directions": ["input", "output"],
                    "kind": "digital",
                    "edges": True,
                    "counts": True,
                }
            },
            "settings": {"type": "object"},
            "counting": {
                "measures": {"pulses": {"title": "Pulses"}, "frequency": {"title": "Frequency", "unit": "Hz"}},
                "settings": {"type": "object"},
            },
        }
    },
}

ENTRY = {
    "number": 42, "time": 1795253400.0, "board": "demo", "point": "pump", "what": "set", "value": "1", "by": "anna",
    "verified": True, "origin": "page", "address": "192.0.2.20", "outcome": "done", "reason": "", "id": "8c1f",
}  # fmt: skip

EXAMPLES: dict[str, list[Any]] = {
    "Acted": [{"id": "8c1f", "by": "anna", "address": "192.0.2.20"}],
    "Answer": [{"ok": False, "error": {"message": "there is no point 'tnk'"}}],
    "Applied": [
        {
            "store": "b1946ac9", "revision": 7, "boot": "5f0c",
            "points": {"tank": {"ok": True}, "pump": {"ok": False, "error": "GPIO17 is held by another program"}},
        }
    ],
    "AuditAnswer": [{"ok": True, "entries": [ENTRY], "next": 42, "dropped": 0}],
    "AuditRequest": [{}, {"start": 1795249800, "end": 1795253400, "limit": 50, "point": "pump", "person": "anna"}],
    "Beacon": [{"boot": "5f0c", "connection": 1, "tick": 8131.25, "period": 1}],
    "BridgeBeacon": [
        {"boot": "77aa", "connection": 2, "tick": 9000.5, "period": 1, "epoch": 3, "time": 1795253400.0}
    ],
    "Capabilities": [CAPABILITIES],
    "Configuration": [CONFIGURATION, {"store": "", "revision": 0, "points": {}}],
    "ConfigurationAnswer": [
        {"ok": True, "revision": 8, "warnings": []},
        {"ok": False, "errors": [{"path": "points.tank.equation", "message": "unknown name 'y'"}]},
    ],
    "ConfigurationRequest": [
        {"base_revision": 7, "patch": {"points": {"tank": {"unit": "l"}}}, "by": "anna"},
        {"config": {"points": {}, "displays": {}}},
    ],
    "CopyRequest": [{"to": "bench2"}],
    "Dashboard": [{"label": "Pump room", "displays": {}}],
    "Done": [{"ok": True}],
    "EdgeEvent": [
        {"edge": "rising", "t_ns": 1795253400000000000, "mono_ns": 8131250000000, "seq": 4, "lost": 0}
    ],
    "ForgetRequest": [{}],
    "Health": [{"uptime": 3600.0, "temperature": 48.3, "load": 0.2, "queued": 0, "dropped": 0}],
    "HistoryAnswer": [
        {"ok": True, "buckets": [[1795253400.0, 61.5, 62.5, 62.0]], "gaps": [[1795253460.0, 1795253480.5]]}
    ],
    "HistoryRequest": [{"point": "tank", "start": 1795249800, "end": 1795253400, "buckets": 60}],
    "PointEvent": [{"kind": "fail_safe", "reason": "no sign of the bridge for 10 s", "time": 1795253400.0}],
    "PreviewAnswer": [{"ok": True, "values": [0, 1024]}, {"ok": True, "values": [None]}],
    "PreviewRequest": [{"equation": "x*2", "x": [0, 512], "names": {"ambient": 21.5}}],
    "RestoreRequest": [{"revision": 5}],
    "RevisionsAnswer": [
        {"ok": True, "revisions": [
            {"revision": 7, "updated": "2026-11-21T09:30:00Z", "by": "anna", "changed": ["points.tank.unit"]},
        ]},
    ],
    "RevisionsRequest": [{}],
    "Set": [
        {"value": 1, "id": "8c1f", "ttl": 2, "pulse": 0.5, "beacon": ECHO, "by": "anna"},
        {"value": "toggle"},
        {"value": True},
    ],
    "SetResult": [
        {"id": "8c1f", "status": "done", "reason": "", "value": 1, "raw": 1, "by": "anna"},
        {"id": "8c1f", "status": "refused", "reason": "the board is offline"},
    ],
    "Stop": [{"by": "anna"}, {}],
    "ViewersLease": [{"seconds": 15}],
    "Write": [
        {
            "id": "8c1f", "point": "pump", "revision": 7, "value": 1, "ttl": 2, "pulse": 0.5, "epoch": 3,
            "beacon": ECHO,
        }
    ],
    "WriteResult": [{"id": "8c1f", "status": "done", "reason": "", "read": 1}],
    "Readings": [[[1795253400.0, 640], [1795253401.0, 641.5]]],
}  # fmt: skip
"""Documents by the name of their model."""
