"""Engine.IO and Socket.IO packets that are wrong, chosen by hand and mutated at random."""

import random

MASTERPIECES = (
    '42["room:join",{"stream_id":"stream-1"}]',
    '421["chat:send",{"stream_id":"stream-1","id":"message-1","text":"h"}]',
    '40{"token":"x"}',
    '40/admin,{"token":"x"}',
    '42/admin,7["room:join",{}]',
    '451-["room:join",{"_placeholder":true,"num":0}]',
    '461-3[{"_placeholder":true,"num":0}]',
    "431[1]",
    "41",
    "3",
    "2probe",
    "5",
    "1",
)
WRONG = (
    '45999999999-["x"]',
    '4511-["x",{"_placeholder":true,"num":0}]',
    '452-["x",{"_placeholder":true,"num":0}]',  # and the attachments never come
    '451-["room:join",{"_placeholder":true,"num":-1}]',
    '451-["room:join",{"_placeholder":true,"num":1e400}]',
    '45-1-["x"]',
    "42" + "[" * 60_000,
    "42" + '["room:join",' + "[" * 30_000 + "]" * 30_000 + "]",
    '42["room:join",' + '{"a":' * 12_000 + "1" + "}" * 12_000 + "]",
    "40" + "[" * 60_000,
    '42["room:join",{"stream_id":' + "9" * 5_000 + "}]",
    "40" + "9" * 5_000,
    "42" + "9" * 5_000 + '["room:join",{}]',
    '42["room:join",NaN]',
    '42["room:join",{"stream_id":Infinity}]',
    '42["room:join",{"stream_id":1e999}]',
    '42["room:join",{"stream_id":"a","stream_id":"b"}]',
    '42["room:join",{"stream_id":"\\ud800"}]',
    '42["\\udfff",{}]',
    '40{"token":"\\ud83d"}',
    '42/nowhere,["room:join",{}]',
    "40/nowhere,",
    "40/" + "n" * 60_000 + ",",
    "41/nowhere,",
    "4399999999[1]",
    "430[]",
    '460-["x"]',
    "44{}",
    "47[]",
    "4²",
    "42[[]]",
    '42[null,"x"]',
    "\x1e",
    "b4AAAA",
    "\x00",
)


def random_packet(rng: random.Random) -> str | bytes:
    """One packet: hand-made, mutated, or noise; binary now and then."""
    match rng.randrange(8):
        case 0:
            return rng.choice(WRONG)
        case 1:
            return rng.randbytes(rng.randint(0, 40))
        case 2:
            return "".join(chr(rng.randint(0, 0x2FF)) for _ in range(rng.randint(0, 30)))
        case 3:
            return rng.choice("0123456789") + rng.choice("0123456789") + rng.choice(MASTERPIECES)[2:]
        case 4:
            return rng.choice(MASTERPIECES)
        case _:
            return mutated(rng, rng.choice(MASTERPIECES))


def mutated(rng: random.Random, text: str) -> str:
    """The same packet with a few characters dropped, doubled or exchanged."""
    for _ in range(rng.randint(1, 3)):
        place = rng.randint(0, max(0, len(text) - 1))
        piece = rng.choice(("", text[place : place + 5] * 2, rng.choice('[]{},:"-/0189\\\x00\x1e✓')))
        text = text[:place] + piece + text[place + rng.randint(0, 2) :]
    return text
