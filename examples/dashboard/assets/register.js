// A link carries its code behind the #, which no browser sends to a server. Put it into
// the form, and take it out of the address, so that it stays in no history.
"use strict";

function take() {
  // Neither codes nor tokens have a character that is written in another way there.
  const secret = location.hash.slice(1);
  if (!secret) return;
  history.replaceState(null, "", location.pathname);
  const fill = (id, value) => {
    const field = document.getElementById(id);
    if (field && value) field.value = value;
  };
  if (document.getElementById("code")) {
    fill("code", secret);
    document.getElementById("username").focus();
  } else {
    const [registration, token] = secret.split("~");
    fill("registration", registration);
    fill("token", token);
  }
}

addEventListener("hashchange", take);
take();
