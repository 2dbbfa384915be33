/** Why it does not play, and what one can do about it. */
import { useLocation } from "react-router";
import type { ApiError } from "../api/errors";
import type { Video } from "../api/videos";
import { GetPremium } from "../money/GetPremium";
import { ButtonLink } from "../ui/Button";

export function Refused({ error, video }: { error: ApiError; video: Video }) {
  const { pathname } = useLocation();
  const premium = error.code === "playback.premium" || error.status === 401;
  return (
    <div className="player-cover" data-testid="refused" data-code={error.code}>
      <div className="player-cover-text" role="status">
        <h2>{premium ? "For subscribers" : "This cannot be played"}</h2>
        <p>{premium ? `${video.creator.display_name} made this video for subscribers.` : error.message}</p>
        {error.status === 401 && <ButtonLink to="/signin" state={{ from: pathname }} look="primary">Sign in</ButtonLink>}
        {error.code === "playback.premium" && <GetPremium from={pathname} name="the video">Or subscribe to {video.creator.display_name} alone, below.</GetPremium>}
      </div>
    </div>
  );
}
