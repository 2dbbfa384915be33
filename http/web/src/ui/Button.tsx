/** Buttons, and links that look like them. */
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { Link, type LinkProps } from "react-router";
import { Icon, type IconName } from "./icons";
import "./button.css";

type Look = "primary" | "plain" | "quiet" | "danger";

interface Shared {
  look?: Look;
  icon?: IconName;
  small?: boolean;
  wide?: boolean;
}

const classes = ({ look = "plain", small, wide }: Shared) =>
  ["button", `button-${look}`, small && "button-small", wide && "button-wide"].filter(Boolean).join(" ");

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & Shared & { busy?: boolean };

/** While `busy` it keeps its width and its focus, and ignores presses. */
export function Button({ look, icon, small, wide, busy = false, className = "", children, onClick, type = "button", ...rest }: ButtonProps) {
  const press: typeof onClick = (event) => {
    if (busy) event.preventDefault();
    else onClick?.(event);
  };
  return (
    <button {...rest} type={type} className={`${classes({ ...(look && { look }), small: !!small, wide: !!wide })} ${className}`} aria-busy={busy || undefined} aria-disabled={busy || undefined} onClick={press}>
      {icon && <Icon name={icon} size={18} />}
      <span className="button-label">{children}</span>
    </button>
  );
}

export function ButtonLink({ look, icon, small, wide, className = "", children, ...rest }: LinkProps & Shared & { children: ReactNode }) {
  return (
    <Link {...rest} className={`${classes({ ...(look && { look }), small: !!small, wide: !!wide })} ${className}`}>
      {icon && <Icon name={icon} size={18} />}
      <span className="button-label">{children}</span>
    </Link>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: IconName;
  /** The name, also shown as a tip on hover. */
  label: string;
}

export function IconButton({ icon, label, className = "", ...rest }: IconButtonProps) {
  return (
    <button {...rest} type="button" className={`icon-button ${className}`} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}
