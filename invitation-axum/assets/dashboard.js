// Puts codes on the clipboard, and lets filters act at once. Without it, every button
// and form does its work all the same.
(() => {
  "use strict";

  const announce = (text) => {
    const live = document.querySelector("[data-inv-live]");
    if (!live) return;
    live.textContent = "";
    // A change that comes a moment later is read out even if the words are the same.
    setTimeout(() => { live.textContent = text; }, 50);
  };

  // The server writes down that the code was taken, and only then hands it out.
  const takeCode = async (form) => {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
      body: "",
    });
    if (!response.ok || response.redirected) throw new Error("not handed out");
    return (await response.json()).code;
  };

  // Some browsers take a promise while the click is still fresh, others only the text.
  const toClipboard = async (code) => {
    if (window.ClipboardItem && navigator.clipboard && navigator.clipboard.write) {
      const text = code.then((text) => new Blob([text], { type: "text/plain" }));
      try {
        await navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
        return;
      } catch {
        // Below, the other way.
      }
    }
    await navigator.clipboard.writeText(await code);
  };

  const copy = async (form) => {
    const button = form.querySelector("button");
    const code = takeCode(form);
    try {
      await toClipboard(code);
    } catch {
      // The page that shows the code is what remains.
      form.submit();
      return;
    }
    const label = button.dataset.invLabel ?? button.textContent;
    button.dataset.invLabel = label;
    button.textContent = button.dataset.invCopied;
    button.classList.add("inv-done");
    announce(button.dataset.invAnnounce);
    clearTimeout(button.invTimer);
    button.invTimer = setTimeout(() => {
      button.textContent = label;
      button.classList.remove("inv-done");
    }, 4000);
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-inv-copy]")) return;
    event.preventDefault();
    copy(event.target);
  });

  // A filter that is changed acts at once, in place: the focus stays where it is.
  const filter = async (form) => {
    const results = document.querySelector("[data-inv-results]");
    results.classList.add("inv-busy");
    try {
      const response = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
      });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.querySelector("[data-inv-results]");
      results.replaceChildren(...fresh.childNodes);
      // Without a search the list has an address. With one, it keeps none.
      history.replaceState(null, "", response.redirected ? response.url : form.dataset.invHome);
      announce(results.querySelector(".inv-summary").textContent);
    } catch {
      form.submit();
    } finally {
      results.classList.remove("inv-busy");
    }
  };

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-inv-filters]");
    if (form && event.target.matches("select")) filter(form);
  });
})();
