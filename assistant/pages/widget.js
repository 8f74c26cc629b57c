// Puts "Ask the articles" on a page of another site:
//   <script src="https://chat.example/widget.js" defer></script>
// data-accent="#0b655f"  data-theme="light" or "dark"  data-label="Ask the articles"  data-side="left"
// Nothing is loaded until the button is pressed; no cookie is set, and nothing of the page is read but its address.
(() => {
  "use strict";

  const script = document.currentScript;
  if (!script || window.referralWidget) return;
  window.referralWidget = true;
  const home = new URL(".", script.src);
  const { accent = "#0b655f", theme = "", label = "Ask the articles", side = "right" } = script.dataset;
  const colour = /^#[0-9a-f]{6}$/i.test(accent) ? accent : "#0b655f";
  const edge = side === "left" ? "left" : "right";

  // White or black, whichever is easier to read on the accent colour.
  const [r, g, b] = [1, 3, 5].map((i) => (parseInt(colour.slice(i, i + 2), 16) / 255) ** 2.2);
  const onColour = 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#0d0d0d" : "#fff";

  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" }); // the theme's styles end here, and so do these
  const style = document.createElement("style");
  style.textContent = `
    :host { all: initial; }
    button { font: 600 16px/1.3 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; cursor: pointer; }
    button:focus-visible { outline: 3px solid ${colour}; outline-offset: 2px; box-shadow: 0 0 0 2px #fff; }
    .open { position: fixed; z-index: 2147483000; bottom: max(16px, env(safe-area-inset-bottom)); ${edge}: 16px;
      min-height: 44px; padding: 8px 16px; color: ${onColour}; background: ${colour}; border: 0; border-radius: 8px;
      box-shadow: 0 1px 4px rgb(0 0 0 / .3); }
    .panel { position: fixed; z-index: 2147483001; bottom: 16px; ${edge}: 16px; width: 416px; height: min(680px, calc(100dvh - 32px));
      max-width: calc(100vw - 32px); display: flex; flex-direction: column; overflow: hidden; border-radius: 10px;
      border: 1px solid rgb(128 128 128 / .5); background: Canvas; box-shadow: 0 4px 24px rgb(0 0 0 / .25); }
    .close { align-self: flex-end; min-height: 44px; padding: 4px 16px; color: CanvasText; background: Canvas; border: 0; width: 100%;
      text-align: right; font-weight: 400; }
    iframe { flex: 1; width: 100%; border: 0; }
    [hidden] { display: none; }
    @media (max-width: 480px) {
      .panel { inset: 0; width: auto; height: auto; max-width: none; border: 0; border-radius: 0; }
    }
    @media print { .open, .panel { display: none; } }`;

  const open = document.createElement("button");
  Object.assign(open, { type: "button", className: "open", textContent: label });
  open.setAttribute("aria-expanded", "false");
  const panel = document.createElement("section");
  Object.assign(panel, { className: "panel", hidden: true });
  panel.setAttribute("aria-label", label);
  if (theme === "light" || theme === "dark") panel.style.colorScheme = theme;
  const close = document.createElement("button");
  Object.assign(close, { type: "button", className: "close", textContent: "Close" });
  panel.append(close);
  root.append(style, open, panel);
  let frame;

  function show(whether) {
    if (whether && !frame) {
      frame = document.createElement("iframe");
      const canonical = document.querySelector('link[rel="canonical"]')?.href ?? location.href;
      const told = new URLSearchParams({ article: canonical.split(/[?#]/)[0], theme, accent: colour });
      frame.title = label;
      frame.referrerPolicy = "origin";
      // The frame is of another origin, so it cannot reach this page; numbers to call must work in it.
      frame.setAttribute(
        "sandbox",
        "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox " +
          "allow-top-navigation-to-custom-protocols",
      );
      frame.allow = "clipboard-write";
      frame.src = `${new URL("widget", home)}?${told}`;
      panel.append(frame);
    }
    panel.hidden = !whether;
    open.hidden = whether;
    open.setAttribute("aria-expanded", String(whether));
    (whether ? close : open).focus();
  }

  open.addEventListener("click", () => show(true));
  close.addEventListener("click", () => show(false));
  panel.addEventListener("keydown", (event) => event.key === "Escape" && show(false));
  addEventListener("message", (event) => {
    if (event.origin === home.origin && event.data === "referral:close" && !panel.hidden) show(false);
  });
  document.body.append(host);
})();
