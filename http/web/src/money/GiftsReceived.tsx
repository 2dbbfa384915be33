/** Subscriptions that somebody else paid for, while they last. */
import { useEffect, useState } from "react";
import { Link } from "react-router";
import { fetchReceived, type Given, type Shelf } from "../api/payments";
import { day } from "./amounts";
import { planWords } from "./standing";
import { useChannelName } from "./useChannelName";

/** Those that count now, or will: a gift may stand behind another one. */
export const lasting = (gifts: readonly Given[], now = Date.now()) =>
  gifts.filter((gift) => gift.state === "taken" && gift.until !== null && Date.parse(gift.until) > now);

export function GiftsReceived({ shelf }: { shelf: Shelf }) {
  const [gifts, setGifts] = useState<Given[]>([]);
  useEffect(() => {
    const left = new AbortController();
    fetchReceived(left.signal).then((found) => setGifts(lasting(found.gifts)), () => undefined); // what one pays for oneself is there all the same
    return () => left.abort();
  }, []);
  return <ul className="subs">{gifts.map((gift) => <Row key={gift.id} gift={gift} shelf={shelf} />)}</ul>;
}

function Row({ gift, shelf }: { gift: Given; shelf: Shelf }) {
  const channel = useChannelName(gift.creator_id);
  const plan = shelf.plans.find((each) => each.id === gift.plan_id);
  const name = gift.creator_id === null ? "Premium" : `${channel ?? "A channel"}${plan ? `, ${planWords(plan).toLowerCase()}` : ""}`;
  const later = gift.starts_at !== null && Date.parse(gift.starts_at) > Date.now();
  return (
    <li className="sub" data-testid="gift-received">
      <div className="sub-words">
        <h3>{gift.creator_id ? <Link to={`/creators/${gift.creator_id}`}>{name}</Link> : name} <span className="badge sub-renews">Gift</span></h3>
        <p className="muted">{later && `From ${day(gift.starts_at!)} on. `}You have it until {day(gift.until!)}. It costs you nothing and does not renew.</p>
      </div>
    </li>
  );
}
