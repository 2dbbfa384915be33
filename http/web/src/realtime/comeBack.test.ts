import { describe, expect, test } from "vitest";
import { closeCodeOf, FIRST_TO_STAY_AWAY, LAST_TO_STAY_AWAY, whatNext } from "./comeBack";
import { DISCONNECTS } from "./events";

const lastWord = (code: keyof typeof DISCONNECTS, delay_ms = 0) => ({ code, ...DISCONNECTS[code], delay_ms });

describe("the end of a connection", () => {
  test("every code of the table is obeyed, by its last word and by its number alone", () => {
    for (const code of Object.keys(DISCONNECTS) as (keyof typeof DISCONNECTS)[]) {
      const { number, reconnect } = DISCONNECTS[code];
      expect(whatNext(lastWord(code)).do === "stay away", code).toBe(!reconnect);
      expect(whatNext(null, number), code).toEqual(whatNext(lastWord(code)));
    }
  });

  test("a number of a later release is obeyed by its range", () => {
    expect(whatNext(null, 4321)).toEqual({ do: "come back", afterMs: 0 });
    expect(whatNext(null, FIRST_TO_STAY_AWAY + 77)).toEqual({ do: "stay away", because: "The server ended this connection." });
    expect(whatNext({ code: "user.banned", number: LAST_TO_STAY_AWAY, message: "You are banned." })).toEqual({
      do: "stay away", because: "You are banned.",
    });
  });

  test("an unknown close, or none at all, is a lost connection", () => {
    for (const code of [undefined, 1000, 1006, 1012, 3999, 5000]) expect(whatNext(null, code)).toEqual({ do: "come back", afterMs: 0 });
  });

  test("one who is signed out reads why; one whose token ran out refreshes; one who was told when waits as long", () => {
    expect(whatNext(lastWord("auth.session_over"))).toEqual({ do: "stay away", because: "You were signed out." });
    expect(whatNext(lastWord("auth.token_expired"))).toEqual({ do: "refresh" });
    expect(whatNext(lastWord("node.draining", 2500))).toEqual({ do: "come back", afterMs: 2500 });
  });
});

test("the close code is found where socket.io-client puts it", () => {
  expect(closeCodeOf({ description: "websocket connection closed", context: { code: 4500 } })).toBe(4500);
  for (const details of [undefined, null, "x", {}, { context: null }, { context: { code: "4500" } }]) expect(closeCodeOf(details)).toBeUndefined();
});
