/** One error for everything the platform can refuse, over HTTP or over the socket. */
import type { ErrorBody } from "./types";

export class ApiError extends Error {
  readonly code: string;
  /** 0 when there was no answer at all. */
  readonly status: number;
  readonly details: Record<string, unknown>;

  constructor(status: number, body: ErrorBody) {
    super(body.message);
    this.name = "ApiError";
    this.status = status;
    this.code = body.code;
    this.details = body.details ?? {};
  }

  /** What is wrong with each field of a form, by the field's name. */
  get fields(): Record<string, string> {
    const fields = this.details["fields"];
    if (!isRecord(fields)) return {};
    return Object.fromEntries(Object.entries(fields).map(([name, problem]) => [name, sentence(String(problem))]));
  }

  /** How long to wait before the same call can work, in milliseconds; null when waiting does not help. */
  get retryAfterMs(): number | null {
    const wait = this.details["retry_after_ms"];
    return typeof wait === "number" && wait > 0 ? wait : null;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** The error inside an answer's body, whatever the body turns out to be. */
export function errorFrom(status: number, body: unknown): ApiError {
  const error = isRecord(body) ? body["error"] : null;
  if (isRecord(error) && typeof error["code"] === "string") {
    const details = isRecord(error["details"]) ? error["details"] : {};
    const message = typeof error["message"] === "string" ? error["message"] : "The server refused this.";
    return new ApiError(status, { code: error["code"], message, details });
  }
  const message = status >= 500 ? "The server has a problem. Try again in a moment." : "The server gave an answer we do not understand.";
  return new ApiError(status, { code: "answer.unreadable", message });
}

export const offlineError = () =>
  new ApiError(0, { code: "network.offline", message: "Footlight cannot be reached. Check your connection and try again." });

/** Any thrown thing as an ApiError, so that a page has one kind to show. */
export function asApiError(thrown: unknown): ApiError {
  return thrown instanceof ApiError ? thrown : new ApiError(0, { code: "client.unexpected", message: "Something went wrong on this page." });
}
