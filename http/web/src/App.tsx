/** The pages and what stands around each of them. */
import { lazy, Suspense, useEffect, useRef } from "react";
import { Route, Routes, useLocation } from "react-router";
import { ErrorBoundary } from "./layout/ErrorBoundary";
import { OfflineBanner } from "./layout/OfflineBanner";
import { TopBar } from "./layout/TopBar";
import { Home } from "./pages/Home";
import { NotFound } from "./pages/NotFound";
import { PageSkeleton } from "./ui/Skeleton";

const Watch = lazy(() => import("./pages/Watch"));
const Studio = lazy(() => import("./pages/Studio"));
const Library = lazy(() => import("./library/Library"));
const EarningsPage = lazy(() => import("./earnings/EarningsPage"));
const VideoPage = lazy(() => import("./video/VideoPage"));
const Desk = lazy(() => import("./mod/Desk"));
const Desks = lazy(() => import("./mod/Desk").then(({ Desks: page }) => ({ default: page })));
const SearchPage = lazy(() => import("./search/SearchPage"));
const History = lazy(() => import("./pages/History"));
const Creator = lazy(() => import("./pages/Creator"));
const Account = lazy(() => import("./pages/Account"));
const PlansPage = lazy(() => import("./money/PlansPage"));
const ReturnPage = lazy(() => import("./money/ReturnPage"));
const PaymentsAdmin = lazy(() => import("./admin/PaymentsAdmin"));
const SignIn = lazy(() => import("./pages/SignIn"));
const SignUp = lazy(() => import("./pages/SignUp"));

export function App() {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const first = useRef(true);

  // A new page starts at its top, and with the focus where a screen reader begins to read.
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <>
      <a className="skip-link" href="#main">Skip to content</a>
      <TopBar />
      <OfflineBanner />
      <main id="main" ref={main} tabIndex={-1}>
        <ErrorBoundary key={pathname}>
          <Suspense fallback={<PageSkeleton />}>
            <Routes>
              <Route path="/" element={<Home />} />
              <Route path="/watch/:streamId" element={<Watch />} />
              <Route path="/studio" element={<Studio />} />
              <Route path="/studio/videos" element={<Library />} />
              <Route path="/studio/earnings" element={<EarningsPage />} />
              <Route path="/video/:videoId" element={<VideoPage />} />
              <Route path="/mod" element={<Desks />} />
              <Route path="/mod/:channelId" element={<Desk />} />
              <Route path="/search" element={<SearchPage />} />
              <Route path="/history" element={<History />} />
              <Route path="/creators/:creatorId" element={<Creator />} />
              <Route path="/account" element={<Account />} />
              <Route path="/premium" element={<PlansPage />} />
              <Route path="/checkout/:orderId" element={<ReturnPage />} />
              <Route path="/admin/payments" element={<PaymentsAdmin />} />
              <Route path="/signin" element={<SignIn />} />
              <Route path="/signup" element={<SignUp />} />
              <Route path="*" element={<NotFound />} />
            </Routes>
          </Suspense>
        </ErrorBoundary>
      </main>
    </>
  );
}
