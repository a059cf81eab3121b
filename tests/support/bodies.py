"""Good bodies of requests, for tests that make one thing in them bad, or use them as they are."""

from typing import Any

PLATFORM = {"id": "heidrun", "name": "Heidrun", "facility": "HEA", "environment": {}}
SIDES = {"fore": 1, "aft": 1, "port": 1, "starboard": 1}
NEW_TEMPLATE = {
    "id": "heidrun-n",
    "name": "N",
    "angleFromNorth": 20,
    "height": 6,
    "length": 15,
    "width": 19,
    "depth": 250,
    "porosity": SIDES,
    "wallArea": {"fore": 114, "aft": 114, "port": 90, "starboard": 90},
    "inclination": dict.fromkeys(SIDES, 0),
    "internalVolume": 0,
    "leakPoints": [{"name": "N1", "x": -7, "y": 4, "z": 3}],
}
NEW_SENSOR = {"number": 1, "tag": "18AIJ777Z", "x": 1.5, "y": -2, "z": 3}

MOMENT = "2026-03-01T06:00:00Z"
LATER = "2026-03-05T06:00:00Z"  # than the present of the world with something of everything
LEAK = {"x": 0.5, "y": 0.5, "z": 1.5, "rateKgS": 1e-4, "onset": MOMENT}
QUERIES = {"end_suppression": {"by": "A. Person"}}  # what must be given beside a path
BODIES: dict[str, Any] = {
    "create_platform": {**PLATFORM, "environment": {"current_speed": {"tag": "A", "unit": "cm/s", "scale": 0.01}}},
    "change_platform": {"name": "Snorre", "facility": "SNA"},
    "create_template": {**NEW_TEMPLATE, "id": "snorre-q", "roof": True},
    "change_template": {"name": "W", "height": 6.5, "leakPoints": [{"name": "P", "x": 1.5, "y": 1.5, "z": 1.5}]},
    "create_sensor": {**NEW_SENSOR, "number": 7, "tag": "19H-QI___5772", "pinned": True, "name": "Spare"},
    "change_sensor": {"name": "Spare", "x": 1.5, "pinned": True, "interactiveFeedback": True},
    "acknowledge_alarm": {"by": "A. Person", "comment": "ROV\nasked for"},
    "ask_for_proof_test": {"by": "A. Person"},
    "shelve_template": {"until": LATER, "reason": "trawlers\nhere", "by": "A. Person"},
    "take_out_of_service": {"until": LATER, "reason": "a cable\nhas a fault", "by": "A. Person"},
    "plan_operation": {
        "template": "snorre-w",
        "operation": "rov",
        "from": LATER,
        "to": "2026-03-06T06:00:00Z",
        "reason": "dive\n7",
        "by": "A. Person",
    },
    "change_operation": {
        "operation": "pigging",
        "from": LATER,
        "to": "2026-03-07T06:00:00Z",
        "reason": "a\nb",
        "by": "A",
    },
    "add_note": {"message": "one\ntwo", "by": "A. Person", "at": MOMENT},
    "change_note": {"message": "one\ntwo"},
    "add_mark": {"from": MOMENT, "to": "2026-03-01T08:00:00Z", "verdict": "no_leak", "by": "A. Person", "note": "a\nb"},
    "select_baseline": {"version": "0123456789abcdef"},
    "undo_baseline": {"undone": True},
    "tell_detectability": {"x": 0.5, "y": 0.5, "z": 1.5, "rateKgS": 1e-4},
    "simulate_leak": {"leak": LEAK, "from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"},
}
