import { Link, NavLink, useLocation, useNavigate } from "react-router";
import type { User } from "../api/types";
import { useSession } from "../session/SessionProvider";
import { SearchBox } from "../search/SearchBox";
import { useOpenShelf } from "../money/useShelf";
import { Avatar } from "../ui/Avatar";
import { ButtonLink } from "../ui/Button";
import { Icon, Logo, type IconName } from "../ui/icons";
import { Menu } from "../ui/Menu";
import { useToast } from "../ui/Toasts";
import { useTheme, type Theme } from "./theme";
import "./topbar.css";

const THEMES: [Theme, string, IconName][] = [
  ["system", "Same as the device", "system"],
  ["light", "Light", "sun"],
  ["dark", "Dark", "moon"],
];

export function TopBar() {
  const { user } = useSession();
  return (
    <header className="topbar">
      <Link to="/" className="brand" aria-label="Footlight, home">
        <Logo />
        <span>Footlight</span>
      </Link>
      <nav aria-label="Main">
        <NavLink to="/" end>Live</NavLink>
        <NavLink to="/studio">Studio</NavLink>
      </nav>
      <SearchBox />
      <div className="topbar-end">
        {user && user.subscription_tier === "free" && <PremiumLink />}
        <ThemeMenu />
        {user === undefined ? <span className="topbar-placeholder" /> : user ? <UserMenu user={user} /> : <SignInLinks />}
      </div>
    </header>
  );
}

/** Only where there is something to get. */
function PremiumLink() {
  const sold = useOpenShelf()?.plans.some((plan) => plan.scope === "premium");
  return sold ? <Link to="/premium" className="topbar-premium" data-testid="get-premium">Get premium</Link> : null;
}

function SignInLinks() {
  const { pathname, search } = useLocation();
  const state = pathname.startsWith("/sign") ? undefined : { from: pathname + search };
  return (
    <>
      <ButtonLink to="/signin" state={state} look="quiet" small data-testid="signin-link">Sign in</ButtonLink>
      <ButtonLink to="/signup" state={state} look="primary" small className="topbar-signup">Sign up</ButtonLink>
    </>
  );
}

function ThemeMenu() {
  const [theme, choose] = useTheme();
  const current = THEMES.find(([name]) => name === theme)?.[2] ?? "system";
  return (
    <Menu label="Theme" trigger={<Icon name={current} />} testId="theme">
      {(close) =>
        THEMES.map(([name, words, icon]) => (
          <button key={name} type="button" role="menuitemradio" tabIndex={-1} aria-checked={theme === name} className="menu-item" onClick={() => { choose(name); close(); }}>
            <Icon name={icon} size={18} />
            {words}
            {theme === name && <span className="menu-check"><Icon name="check" size={18} /></span>}
          </button>
        ))
      }
    </Menu>
  );
}

function UserMenu({ user }: { user: User }) {
  const { signOut } = useSession();
  const toast = useToast();
  const navigate = useNavigate();
  const sells = useOpenShelf() !== null;
  const leave = () => {
    signOut().then(
      () => { toast("You are signed out."); void navigate("/"); },
      () => toast("You could not be signed out. Check your connection and try again.", "problem"),
    );
  };
  return (
    <Menu label="Your account" trigger={<Avatar id={user.id} name={user.display_name} size={32} />} testId="user-menu">
      {(close) => (
        <>
          <p className="menu-heading" role="presentation">Signed in as <strong>{user.display_name}</strong></p>
          <Link role="menuitem" tabIndex={-1} className="menu-item" to="/studio" onClick={close}><Icon name="camera" size={18} />Studio</Link>
          <Link role="menuitem" tabIndex={-1} className="menu-item" to="/studio/videos" onClick={close}><Icon name="play" size={18} />Your videos</Link>
          <Link role="menuitem" tabIndex={-1} className="menu-item" to="/history" onClick={close}><Icon name="clock" size={18} />History</Link>
          <Link role="menuitem" tabIndex={-1} className="menu-item" to="/account" onClick={close}><Icon name="user" size={18} />Account</Link>
          {sells && <Link role="menuitem" tabIndex={-1} className="menu-item" to="/premium" onClick={close}><Icon name="star" size={18} />{user.subscription_tier === "free" ? "Get premium" : "Premium"}</Link>}
          {user.role === "admin" && <Link role="menuitem" tabIndex={-1} className="menu-item" to="/admin/payments" onClick={close} data-testid="admin-payments"><Icon name="shield" size={18} />Payments desk</Link>}
          <hr />
          <button role="menuitem" tabIndex={-1} type="button" className="menu-item" onClick={() => { close(); leave(); }} data-testid="signout"><Icon name="exit" size={18} />Sign out</button>
        </>
      )}
    </Menu>
  );
}
