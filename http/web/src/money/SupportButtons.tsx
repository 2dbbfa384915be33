/** Beside Follow: subscribe to this channel, give subscriptions, pay for a message. Nothing where nothing is sold. */
import { useState } from "react";
import { useLocation } from "react-router";
import { useSession } from "../session/SessionProvider";
import { Button, ButtonLink } from "../ui/Button";
import { Icon } from "../ui/icons";
import { Menu } from "../ui/Menu";
import { GiftDialog } from "./GiftDialog";
import { PaidMessageDialog } from "./PaidMessageDialog";
import { runningFor } from "./standing";
import { SubscribeDialog } from "./SubscribeDialog";
import { useMine } from "./useMine";
import { useOpenShelf } from "./useShelf";
import "./money.css";

export interface Channel {
  id: string;
  name: string;
}

interface SupportProps {
  channel: Channel;
  /** The stream that is live, for gifts to its room and paid messages. */
  streamId: string | null;
  /** Whether this room takes paid messages. */
  messages?: boolean;
}

type Asked = "subscribe" | "gift" | "message" | null;

export function SupportButtons({ channel, streamId, messages = false }: SupportProps) {
  const shelf = useOpenShelf();
  const { user } = useSession();
  const { pathname } = useLocation();
  const mine = useMine(Boolean(user) && shelf !== null);
  const [asked, setAsked] = useState<Asked>(null);
  if (!shelf || user === undefined || user?.id === channel.id) return null;
  if (!user) return <ButtonLink small icon="star" to="/signin" state={{ from: pathname }} data-testid="subscribe-channel">Subscribe</ButtonLink>;
  const running = runningFor(mine.all, channel.id);
  const plan = shelf.plans.find((each) => each.id === running?.plan_id);
  const given = running ? undefined : user.channels?.[channel.id];
  const level = plan?.level ?? given;
  const close = () => setAsked(null);
  const wish = { path: pathname, name: pathname.startsWith("/creators") ? channel.name : pathname.startsWith("/watch") ? "the stream" : "the video" };
  const shared = { channel, shelf, wish, onClose: close };
  return (
    <span className="support">
      <Button small icon={running ? "check" : given ? "gift" : "star"} onClick={() => setAsked("subscribe")} data-testid="subscribe-channel" data-on={Boolean(running ?? given)}>
        {level ? `Tier ${level}` : running ? "Subscribed" : "Subscribe"}<span className="sr-only"> to {channel.name}{given && ", a gift"}</span>
      </Button>
      <Menu label={`More ways to support ${channel.name}`} trigger={<Icon name="gift" />} testId="support-menu">
        {(shut) => (
          <>
            <button type="button" role="menuitem" tabIndex={-1} className="menu-item" onClick={() => { shut(); setAsked("gift"); }} data-testid="open-gift"><Icon name="gift" size={18} />Gift subscriptions</button>
            {messages && streamId && <button type="button" role="menuitem" tabIndex={-1} className="menu-item" onClick={() => { shut(); setAsked("message"); }} data-testid="open-paid-message"><Icon name="coin" size={18} />Send a paid message</button>}
          </>
        )}
      </Menu>
      <SubscribeDialog open={asked === "subscribe"} running={running} given={given} known={mine.all !== null} {...shared} />
      <GiftDialog open={asked === "gift"} streamId={streamId} {...shared} />
      {streamId && <PaidMessageDialog open={asked === "message"} streamId={streamId} {...shared} />}
    </span>
  );
}
