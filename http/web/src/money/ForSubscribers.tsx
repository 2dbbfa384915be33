/** Over the picture of a stream that one may not watch, and what one can do about it. */
import { useLocation } from "react-router";
import { useSession } from "../session/SessionProvider";
import { ButtonLink } from "../ui/Button";
import { GetPremium } from "./GetPremium";

export function ForSubscribers() {
  const { user } = useSession();
  const { pathname } = useLocation();
  return (
    <div className="player-cover" data-testid="refused">
      <div className="player-cover-text" role="status">
        <h2>For subscribers</h2>
        <p>This stream is for subscribers.</p>
        {user === null ? <ButtonLink to="/signin" state={{ from: pathname }} look="primary">Sign in</ButtonLink> : <GetPremium name="the stream">Or subscribe to this channel alone, below.</GetPremium>}
      </div>
    </div>
  );
}
