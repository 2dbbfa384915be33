import { expect, test } from "vitest";
import { ApiError, asApiError, errorFrom } from "./errors";

test("a refusal keeps its code, sentence and details", () => {
  const error = errorFrom(409, { error: { code: "stream.already_open", message: "One at a time.", details: { stream_id: "s9" } } });
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 409, code: "stream.already_open", message: "One at a time.", details: { stream_id: "s9" } });
});

test("fields of a validation error read as sentences", () => {
  const error = errorFrom(400, { error: { code: "request.invalid", message: "x", details: { fields: { email: "is not an address" } } } });
  expect(error.fields).toEqual({ email: "Is not an address" });
});

test("a wait is a positive number or nothing", () => {
  const wait = (retry_after_ms: unknown) => errorFrom(429, { error: { code: "limit.rate", message: "x", details: { retry_after_ms } } }).retryAfterMs;
  expect([wait(1500), wait(0), wait("soon"), wait(undefined)]).toEqual([1500, null, null, null]);
});

test.each([null, "<html>", { error: "no" }, { error: { message: "no code" } }, []])("a body that is no error of ours is survived: %j", (body) => {
  expect(errorFrom(502, body)).toMatchObject({ status: 502, code: "answer.unreadable" });
  expect(errorFrom(502, body).fields).toEqual({});
});

test("anything thrown becomes an error one can show", () => {
  expect(asApiError(new TypeError("x")).code).toBe("client.unexpected");
});
