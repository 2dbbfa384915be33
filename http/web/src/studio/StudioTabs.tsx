/** The rooms of the studio. */
import { NavLink } from "react-router";
import "./tabs.css";

export function StudioTabs() {
  return (
    <nav className="studio-tabs" aria-label="Studio">
      <NavLink to="/studio" end>Go live</NavLink>
      <NavLink to="/studio/videos">Videos</NavLink>
      <NavLink to="/studio/earnings">Earnings</NavLink>
    </nav>
  );
}
