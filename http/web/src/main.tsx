import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { App } from "./App";
import { openAhead } from "./openAhead";
import { SessionProvider } from "./session/SessionProvider";
import { ToastProvider } from "./ui/Toasts";
import "./styles/tokens.css";
import "./styles/base.css";

openAhead(location.pathname);
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

createRoot(root).render(
  <StrictMode>
    <BrowserRouter>
      <SessionProvider>
        <ToastProvider>
          <App />
        </ToastProvider>
      </SessionProvider>
    </BrowserRouter>
  </StrictMode>,
);
