// Opens a WebSocket and a stream of events, so that one sees them end with the session.
const french = document.documentElement.lang === "fr";
const say = (english, autrement) => (french ? autrement : english);

const socketLine = document.getElementById("socket");
const socket = new WebSocket(`wss://${location.host}/ws`);
socket.addEventListener("open", () => {
  socket.send("bonjour");
  socketLine.textContent = say("Open.", "Ouvert.");
});
socket.addEventListener("message", (event) => {
  socketLine.textContent = say(`Open. Echo: ${event.data}`, `Ouvert. Écho : ${event.data}`);
});
socket.addEventListener("close", (event) => {
  socketLine.textContent = say(`Closed, code ${event.code}.`, `Fermé, code ${event.code}.`);
});

const eventsLine = document.getElementById("events");
const events = new EventSource("/events");
events.addEventListener("message", (event) => {
  const time = new Date(Number(event.data) * 1000).toLocaleTimeString();
  eventsLine.textContent = say(`Last event at ${time}.`, `Dernier événement à ${time}.`);
});
events.addEventListener("error", () => {
  eventsLine.textContent = say("Closed.", "Fermé.");
});

const keptLine = document.getElementById("kept");
const before = localStorage.getItem("echo-last-visit");
localStorage.setItem("echo-last-visit", new Date().toLocaleTimeString());
if (before) {
  keptLine.textContent = say(`Last visit, from this browser’s storage: ${before}.`, `Dernière visite, d’après le stockage du navigateur : ${before}.`);
}
