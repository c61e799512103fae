// What a page gains with script; each control it serves stays hidden without it.

/** Shows a password on request, and hides it again before it is sent. */
function offerToShow(button) {
  const field = document.getElementById(button.getAttribute("aria-controls"));
  if (!field) return;
  const states = [
    { type: "password", name: button.getAttribute("aria-label"), word: button.textContent },
    { type: "text", name: button.dataset.hide, word: button.dataset.hideShort },
  ];
  const set = (shown) => {
    const state = states[Number(shown)];
    field.type = state.type;
    button.setAttribute("aria-label", state.name);
    button.textContent = state.word;
  };
  button.hidden = false;
  button.addEventListener("click", () => set(field.type === "password"));
  field.form?.addEventListener("submit", () => set(false));
}

/** Copies a reference, and says so. */
function offerToCopy(button) {
  const source = document.getElementById(button.dataset.copy);
  const status = document.getElementById(`${button.dataset.copy}-status`);
  if (!source || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.textContent.trim());
    if (status) status.textContent = button.dataset.done;
  });
}

/** Says once, in time, that the session is about to end. */
function warnOfEnd(banner, ends) {
  const lead = Number(banner.dataset.lead) * 1000;
  const warn = () => {
    banner.hidden = false;
    banner.setAttribute("role", "alert");
  };
  // setTimeout counts in 31 bits; a session lives a day at most, so one timer is enough.
  setTimeout(warn, Math.max(0, ends - lead - Date.now()));
}

/** A page that comes back from the browser's memory may be of a session that has ended. */
function forgetRestoredPages() {
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

for (const button of document.querySelectorAll("button.show")) offerToShow(button);
for (const button of document.querySelectorAll("button.copy")) offerToCopy(button);

const session = document.querySelector("[data-ends]");
const banner = document.getElementById("ending");
if (session && banner) warnOfEnd(banner, Date.parse(session.dataset.ends));

document.querySelector("main [autofocus]")?.focus();
forgetRestoredPages();
