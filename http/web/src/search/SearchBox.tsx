/** The field in the bar: finds as one types, by keyboard alone if one likes. `/` goes to it from anywhere. */
import { useEffect, useId, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { IconButton } from "../ui/Button";
import { useSuggestions, type Suggestion } from "./useSuggestions";
import "../ui/field.css";
import "./search.css";

export function SearchBox() {
  const [params] = useSearchParams();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const shown = pathname === "/search" ? (params.get("q") ?? "") : "";
  const [text, setText] = useState(shown);
  const [open, setOpen] = useState(false);
  const [wide, setWide] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const suggestions = useSuggestions(open ? text : "");
  const listed = open && suggestions.length > 0;
  useEffect(() => setText(shown), [shown]);
  useEffect(() => setChosen(-1), [suggestions]);
  useSlash(() => {
    setWide(true);
    input.current?.focus();
  });

  const leave = () => {
    setOpen(false);
    setWide(false);
    input.current?.blur();
  };
  const go = ({ text: words, video_id }: Suggestion) => {
    leave();
    void navigate(video_id ? `/video/${video_id}` : `/search?q=${encodeURIComponent(words)}`);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const picked = listed ? suggestions[chosen] : undefined;
    if (picked) go(picked);
    else if (text.trim()) go({ text: text.trim(), video_id: null });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      if (listed) setOpen(false);
      else leave();
    } else if (listed && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const count = suggestions.length + 1; // one more place: what was typed
      setChosen((now) => ((now + 1 + (event.key === "ArrowDown" ? 1 : count - 1)) % count) - 1);
    }
  };

  return (
    <div className={wide ? "search search-wide" : "search"}>
      <IconButton className="search-open" icon="search" label="Search" onClick={() => { setWide(true); setTimeout(() => input.current?.focus()); }} />
      <form role="search" onSubmit={submit} className="search-form">
        <input
          ref={input} type="search" className="input" value={text} maxLength={200} placeholder="Search videos" aria-label="Search videos" enterKeyHint="search"
          role="combobox" aria-expanded={listed} aria-controls={`${id}-list`} aria-autocomplete="list" autoComplete="off" data-testid="search-input"
          aria-activedescendant={listed && chosen >= 0 ? `${id}-${chosen}` : undefined}
          onChange={(event) => { setText(event.target.value); setOpen(true); }}
          onKeyDown={onKeyDown} onFocus={() => setOpen(true)} onBlur={() => { setOpen(false); setWide(false); }}
        />
        <ul id={`${id}-list`} role="listbox" aria-label="Suggestions" className="search-list" hidden={!listed} data-testid="search-suggestions">
          {suggestions.map((each, index) => (
            // The press must win over the field's loss of focus.
            <li key={`${each.video_id} ${each.text}`} id={`${id}-${index}`} role="option" aria-selected={index === chosen} onPointerDown={(event) => { event.preventDefault(); go(each); }}>
              {each.text}{each.video_id && <span className="muted small"> · video</span>}
            </li>
          ))}
        </ul>
      </form>
    </div>
  );
}

function useSlash(act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if ((event.target as HTMLElement).closest("input, textarea, select, dialog, [contenteditable], [role=menu]")) return;
      event.preventDefault();
      latest.current();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}
