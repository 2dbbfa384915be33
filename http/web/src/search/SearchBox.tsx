/** The field in the bar: finds as one types, by keyboard alone if one likes. `/` goes to it from anywhere. */
import { useEffect, useId, useRef, useState, type FocusEvent, type FormEvent, type KeyboardEvent } from "react";
import { flushSync } from "react-dom";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { IconButton } from "../ui/Button";
import { Icon } from "../ui/icons";
import { useSuggestions, type Suggestion } from "./useSuggestions";
import "../ui/field.css";
import "./search.css";

export function SearchBox() {
  const [params] = useSearchParams();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const shown = pathname === "/search" ? (params.get("q") ?? "") : "";
  const [text, setText] = useState(shown);
  const [wide, setWide] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const { suggestions, listed, chosen, move, setOpen } = useChoices(text);
  useEffect(() => setText(shown), [shown, pathname]);

  const enter = () => {
    flushSync(() => setWide(true)); // a phone shows its keyboard only for a focus within the press itself
    input.current?.focus();
  };
  useSlash(enter);
  const leave = () => {
    setOpen(false);
    if (!wide) return;
    flushSync(() => setWide(false));
    root.current?.querySelector<HTMLElement>(".search-open")?.focus();
  };
  const go = ({ text: words, video_id }: Suggestion) => {
    setOpen(false);
    setWide(false);
    setText(video_id ? "" : words);
    document.getElementById("main")?.focus({ preventScroll: true });
    void navigate(video_id ? `/video/${video_id}` : `/search?q=${encodeURIComponent(words)}`);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const picked = listed ? suggestions[chosen] : undefined;
    if (picked) go(picked);
    else if (text.trim()) go({ text: text.trim(), video_id: null });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      if (!listed && text && !wide) return; // the browser empties the field
      event.preventDefault();
      if (listed) setOpen(false);
      else leave();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (listed) move(event.key === "ArrowDown" ? 1 : -1);
      else setOpen(true);
    }
  };
  const onBlur = (event: FocusEvent) => {
    if (root.current?.contains(event.relatedTarget)) return;
    setOpen(false);
    setWide(false);
  };

  return (
    <div ref={root} className={wide ? "search search-wide" : "search"} onBlur={onBlur}>
      <IconButton className="search-open" icon="search" label="Search" onClick={enter} data-testid="search-open" />
      <form role="search" onSubmit={submit} className="search-form">
        <span className="search-lens"><Icon name="search" size={18} /></span>
        <input
          ref={input} type="search" className="input" value={text} maxLength={200} placeholder="Search videos" aria-label="Search videos" enterKeyHint="search"
          role="combobox" aria-expanded={listed} aria-controls={`${id}-list`} aria-autocomplete="list" aria-keyshortcuts="/" autoComplete="off" autoCapitalize="none" data-testid="search-input"
          aria-activedescendant={listed && chosen >= 0 ? `${id}-${chosen}` : undefined}
          onChange={(event) => { setText(event.target.value); setOpen(true); }}
          onKeyDown={onKeyDown} onClick={() => setOpen(true)}
        />
        <ul id={`${id}-list`} role="listbox" aria-label="Suggestions" className="search-list" hidden={!listed} data-testid="search-suggestions">
          {suggestions.map((each, index) => (
            // The field keeps its focus while one presses, and a press may still be taken back before it is let go.
            <li key={`${each.video_id} ${each.text}`} id={`${id}-${index}`} role="option" aria-selected={index === chosen} onMouseDown={(event) => event.preventDefault()} onClick={() => go(each)}>
              <Icon name={each.video_id ? "play" : "search"} size={16} />
              <span className="search-words">{each.text}</span>
              {each.video_id && <span className="muted small">Video</span>}
            </li>
          ))}
        </ul>
      </form>
      <IconButton className="search-close" icon="close" label="Close the search" onClick={leave} />
      <p className="sr-only" role="status">{listed ? (suggestions.length === 1 ? "1 suggestion" : `${suggestions.length} suggestions`) : ""}</p>
    </div>
  );
}

/** What is offered for the text, and which of it is chosen: -1 is what was typed. */
function useChoices(text: string) {
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const suggestions = useSuggestions(open ? text : "");
  useEffect(() => setChosen(-1), [suggestions]);
  const places = suggestions.length + 1;
  const move = (by: 1 | -1) => setChosen((now) => ((now + 1 + by + places) % places) - 1);
  return { suggestions, listed: open && suggestions.length > 0, chosen, move, setOpen };
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
