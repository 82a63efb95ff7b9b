// Puts codes on the clipboard, shows times in the viewer's zone, closes menus, and lets
// filters act at once. Without it, every button and form does its work all the same.
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
  const handedOut = async (form) => {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
      body: "",
    });
    if (!response.ok || response.redirected) throw new Error("not handed out");
    return (await response.json()).code;
  };

  // The page of a new code shows it, and the server has written that down with the creation.
  // So its button works without the server, and never leads away: a code that the server does
  // not keep can be seen on this page only.
  const takeCode = async (place) => {
    const isNew = place.matches("[data-inv-new]");
    const onPage = isNew ? document.querySelector(".inv-reveal-code").textContent : null;
    if (!place.matches("form")) return onPage;
    try {
      return await handedOut(place);
    } catch (error) {
      if (onPage === null) throw error;
      return onPage;
    }
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

  // Without a clipboard API, as on plain HTTP, the older command may still work.
  const byCommand = (code) => {
    const focused = document.activeElement;
    const text = document.createElement("textarea");
    text.className = "inv-hidden";
    text.readOnly = true;
    text.value = code;
    document.body.append(text);
    text.select();
    const isCopied = document.execCommand("copy");
    text.remove();
    if (focused) focused.focus();
    return isCopied;
  };

  // What always works: the code, selected, to be copied by hand. It was handed out already,
  // so the server is not asked again.
  const byHand = (place, code) => {
    const field = place.querySelector("input") ?? document.createElement("input");
    field.className = "inv-by-hand";
    field.readOnly = true;
    field.value = code;
    field.setAttribute("aria-label", place.dataset.invByHand);
    place.append(field);
    field.focus();
    field.select();
    announce(place.dataset.invByHand);
  };

  // What the button is called changes with what it says.
  const say = (button, text) => {
    button.textContent = text;
    button.setAttribute("aria-label", `${text}: ${button.dataset.invName}`);
  };

  const copy = async (place) => {
    const button = place.querySelector("button");
    const code = takeCode(place);
    try {
      await toClipboard(code);
    } catch {
      let text;
      try {
        text = await code;
      } catch {
        // Nothing was handed out: the server's page says why.
        place.submit();
        return;
      }
      if (!byCommand(text)) {
        byHand(place, text);
        return;
      }
    }
    const label = button.dataset.invLabel ?? button.textContent;
    button.dataset.invLabel = label;
    say(button, button.dataset.invCopied);
    button.classList.add("inv-done");
    announce(button.dataset.invAnnounce);
    clearTimeout(button.invTimer);
    button.invTimer = setTimeout(() => {
      say(button, label);
      button.classList.remove("inv-done");
    }, 4000);
  };

  // A double click takes the code once.
  const copyOnce = async (place) => {
    if (place.invBusy) return;
    place.invBusy = true;
    await copy(place);
    place.invBusy = false;
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-inv-copy]")) return;
    event.preventDefault();
    copyOnce(form);
  });

  // A button without a form can do nothing without this script, so it is hidden until now.
  for (const place of document.querySelectorAll("div[data-inv-copy]")) {
    place.querySelector("button").addEventListener("click", () => copyOnce(place));
    place.hidden = false;
  }

  // A form that changes something is sent once, however often its button is pressed. The
  // server sees to it, too: this only spares people the answer to the second time.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form.inv-form")) return;
    if (form.invSent) {
      event.preventDefault();
      return;
    }
    form.invSent = true;
    // No event tells that the user has stopped the browser. So the button works again once the server
    // has given up a request: after a minute by default. The upload of a file may take longer.
    if (form.enctype === "multipart/form-data") return;
    clearTimeout(form.invTimer);
    form.invTimer = setTimeout(() => { form.invSent = false; }, 60000);
  });
  // A form with other values is another one.
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
      const form = event.target.closest("form.inv-form");
      if (form) form.invSent = false;
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form.inv-form")) form.invSent = false;
  });

  // The viewer's own variant of the page's language, or else the page's language.
  const languageOf = (element) => {
    const wanted = element.closest("[lang]")?.lang;
    const main = (tag) => tag.toLowerCase().split("-")[0];
    if (!wanted) return undefined;
    return navigator.languages.find((tag) => main(tag) === main(wanted)) ?? wanted;
  };

  const DAY = { day: "numeric", month: "short", year: "numeric" };
  const CLOCK = { hour: "numeric", minute: "2-digit" };
  // Evidence has seconds, and names its zone.
  const EXACT = { ...DAY, ...CLOCK, second: "2-digit", timeZoneName: "short" };

  // Shows a time in the viewer's zone. A list that is short of room has the clock below the day.
  const showLocalTime = (time, text) => {
    const at = new Date(time.dateTime);
    const language = languageOf(time);
    const written = (options) => new Intl.DateTimeFormat(language, options).format(at);
    const parts = [];
    if (text.classList.contains("inv-exact")) {
      parts.push(written(EXACT));
    } else {
      const clock = document.createElement("span");
      clock.className = "inv-clock";
      clock.textContent = written(CLOCK);
      parts.push(`${written(DAY)}, `, clock);
    }
    time.title = text.textContent;
    text.replaceChildren(...parts);
  };

  // The server writes times in UTC, because it does not know the viewer's zone.
  const showLocalTimes = (root) => {
    for (const text of root.querySelectorAll("time[datetime]:not([title]) > .inv-absolute")) {
      try {
        showLocalTime(text.parentElement, text);
      } catch {
        // The browser cannot write the language, or not read the time: UTC stays.
      }
    }
  };
  showLocalTimes(document);

  // Menus and fields that cover a part of the list close by Escape, by a click elsewhere, and
  // when the focus leaves them.
  const closeCovers = (except) => {
    for (const menu of document.querySelectorAll(".inv-more[open]")) {
      if (!menu.contains(except)) menu.open = false;
    }
    for (const field of document.querySelectorAll(".inv-list .inv-by-hand")) {
      if (!field.form.contains(except)) field.remove();
    }
  };
  document.addEventListener("click", (event) => closeCovers(event.target));
  document.addEventListener("focusin", (event) => closeCovers(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    // The focus returns to the button that opened it.
    const opener = document.activeElement?.closest(".inv-more[open], .inv-list .inv-copy")
      ?.querySelector("summary, button");
    closeCovers(null);
    opener?.focus();
  });

  // A menu opens upwards where it would end below the window.
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches(".inv-more")) return;
    menu.classList.remove("inv-upwards");
    if (!menu.open) return;
    const { bottom, height } = menu.querySelector("ul").getBoundingClientRect();
    const isRoomAbove = menu.getBoundingClientRect().top > height;
    menu.classList.toggle("inv-upwards", bottom > window.innerHeight && isRoomAbove);
  }, true);

  // A filter that is changed acts at once, in place: the focus stays where it is. A later change
  // cancels the request of an earlier one, whose late answer would set the filters back.
  let newest = null;
  const filter = async (form) => {
    newest?.abort();
    const request = new AbortController();
    newest = request;
    const results = document.querySelector("[data-inv-results]");
    results.classList.add("inv-busy");
    try {
      // Not `form.action`: a field of that name would take its place.
      const response = await fetch(form.getAttribute("action"), {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        signal: request.signal,
      });
      const text = await response.text();
      // The answer may have been complete before it was cancelled.
      if (request.signal.aborted) return;
      // The whole page shows mistakes beside their fields.
      if (!response.ok) return form.submit();
      const page = new DOMParser().parseFromString(text, "text/html");
      const fresh = page.querySelector("[data-inv-results]");
      // The link that clears the filters comes and goes with them.
      const buttons = page.querySelector("form[data-inv-filters] .inv-field-buttons");
      form.querySelector(".inv-field-buttons").replaceChildren(...buttons.childNodes);
      results.replaceChildren(...fresh.childNodes);
      // Numbers and headings outside of the results are those of the filters, too.
      for (const part of document.querySelectorAll("[data-inv-part]")) {
        const anew = page.querySelector(`[data-inv-part="${part.dataset.invPart}"]`);
        part.replaceChildren(...(anew?.childNodes ?? []));
      }
      // One filter may set another: only active invitations are sorted by expiry.
      for (const { name, value } of page.querySelectorAll("form[data-inv-filters] select")) {
        form.elements[name].value = value;
      }
      showLocalTimes(results);
      // A search that resembles a code has no address, and the list keeps none then.
      history.replaceState(null, "", response.redirected ? response.url : form.dataset.invHome);
      announce(results.querySelector(".inv-summary").textContent);
    } catch {
      if (!request.signal.aborted) form.submit();
    } finally {
      if (newest === request) results.classList.remove("inv-busy");
    }
  };

  // The page of a running import is fetched again and again, until the import has ended.
  const watch = async () => {
    const shown = document.querySelector("[data-inv-progress]");
    if (!shown?.hasAttribute("data-inv-active")) return;
    let pause = 1000;
    try {
      const response = await fetch(location.href);
      // Signed out, or gone: the whole page says so.
      if (!response.ok || response.redirected) return location.reload();
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.querySelector("[data-inv-progress]");
      shown.replaceWith(fresh);
      showLocalTimes(fresh);
      if (!fresh.hasAttribute("data-inv-active")) {
        // The buttons stay in place while the import runs, so that the focus does.
        document.querySelector("[data-inv-actions]")
          .replaceWith(page.querySelector("[data-inv-actions]"));
        announce(fresh.querySelector(".inv-state").textContent);
        return;
      }
    } catch {
      pause = 5000;
    }
    setTimeout(watch, pause);
  };
  setTimeout(watch, 300);

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-inv-filters]");
    if (form && event.target.matches("select, [inputmode=numeric], [list]")) filter(form);
  });
})();
