/** Follow and unfollow; who is not signed in is asked to. */
import { useLocation } from "react-router";
import type { Following } from "../chat/useFollowing";
import { Button, ButtonLink } from "../ui/Button";
import { shortCount } from "../ui/time";

interface FollowProps {
  name: string;
  following: Following;
  signedIn: boolean;
}

export function FollowButton({ name, following: { on, followers, busy, change }, signedIn }: FollowProps) {
  const { pathname } = useLocation();
  const count = followers !== null && <span className="follow-count"> · {shortCount(followers)}</span>;
  if (!signedIn) return <ButtonLink small icon="heart" to="/signin" state={{ from: pathname }}>Follow{count}</ButtonLink>;
  return (
    <Button small icon={on ? "check" : "heart"} look={on ? "plain" : "primary"} busy={busy} onClick={() => change(!on)} data-testid="follow">
      {on ? "Following" : "Follow"}{count}<span className="sr-only">{on ? `: unfollow ${name}` : `: ${name}`}</span>
    </Button>
  );
}
