/** Who was given a subscription, after the words of who gave it. */
import type { Gift } from "../realtime/events";

/** "Bo, Cy and 3 others"; null where the text names them already, or nobody has one yet. */
export function recipientWords({ recipients, count }: Pick<Gift, "recipients" | "count">): string | null {
  if (count === 1 || recipients.length === 0) return null;
  const names = recipients.map((one) => one.name);
  const others = count - names.length;
  if (others > 0) return `${names.join(", ")} and ${others === 1 ? "1 other" : `${others} others`}`;
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

export function GiftWords({ gift, myId }: { gift: Gift; myId: string | null }) {
  const words = recipientWords(gift);
  const mine = gift.recipients.some((one) => one.id === myId);
  if (!words && !mine) return null;
  return (
    <span className="gift-to">
      {words && `For ${words}.`}
      {mine && <strong>{words ? " " : ""}{gift.count === 1 ? "It is yours!" : "One of them is yours!"}</strong>}
    </span>
  );
}
