// The theme makes some plain elements clickable. Give them what a button has: focus, a role, and the keys.
document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll("[x-on\\:click]")) {
    if (element.matches("a[href], button, input, select, textarea, summary") || element.hasAttribute("tabindex")) continue;
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    element.addEventListener("keydown", (event) => {
      if (event.target !== element || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      element.click();
    });
  }
  // Icons are words to a screen reader; they are read only where there is no other name.
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    const link = icon.closest("a, button, [role=button]");
    if (link === icon) continue;
    icon.setAttribute("aria-hidden", "true");
    if (link && link.textContent.trim() === icon.textContent.trim() && !link.hasAttribute("aria-label")) {
      link.setAttribute("aria-label", link.title || (link.pathname === "/admin/" ? "Home" : icon.textContent.trim()));
    }
  }
  // On a phone each line of a row says what it is, beginning like the headings of the same columns.
  for (const cell of document.querySelectorAll("[data-label]")) {
    cell.dataset.label = cell.dataset.label.charAt(0).toUpperCase() + cell.dataset.label.slice(1);
  }
  // Boxes for choosing with a search have no name of their own: they take it from the field they stand for.
  const nameChoosers = () => {
    for (const box of document.querySelectorAll(".select2-container")) {
      const field = box.previousElementSibling;
      if (!field || !field.matches("select")) continue;
      const label = field.labels && field.labels[0];
      const name = field.getAttribute("aria-label") || (label && label.textContent.trim()) || field.dataset.placeholder;
      for (const part of name ? box.querySelectorAll(".select2-selection, .select2-search__field") : []) {
        part.setAttribute("aria-label", name);
        part.removeAttribute("aria-labelledby");
      }
      // What is chosen is text inside of the box, not a box of its own.
      for (const text of box.querySelectorAll('.select2-selection__rendered[role="textbox"]')) {
        text.removeAttribute("role");
        text.removeAttribute("aria-readonly");
      }
    }
  };
  const isChooser = (node) => node.classList && node.classList.contains("select2-container");
  new MutationObserver((changes) => changes.some((change) => [...change.addedNodes].some(isChooser)) && nameChoosers())
    .observe(document.body, { childList: true, subtree: true });
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches(".select2-search__field") && !target.hasAttribute("aria-label")) target.setAttribute("aria-label", "Search");
  });
  // Whoever skips the menu, or has searched, goes on from what they were after.
  const firstRow = document.querySelector("#result_list tbody");
  if (firstRow) firstRow.id = "rows";
  for (const place of document.querySelectorAll("#content, #rows")) place.tabIndex = -1;
  const begin = () => {
    const wants = document.querySelector("[autofocus]");
    if (document.activeElement !== document.body && !document.activeElement.matches("#content, #rows")) return;
    if (wants) wants.focus();
    if (wants || !new URLSearchParams(location.search).get("q")) return;
    const box = document.querySelector("#content #searchbar, #content input[type=search][name=q]");
    const around = box && (box.closest("#changelist, .al-card") || document);
    const found = around && (around.querySelector("tbody :is(th, td) a[href]") || around.querySelector("tbody td"));
    if (found && !found.matches("a")) found.tabIndex = -1;
    if (found) found.focus();
    else if (box) {
      box.focus();
      box.setSelectionRange(box.value.length, box.value.length);
    }
  };
  // Only now: until here the theme hides the page and moves the table, and the focus would be lost.
  window.addEventListener("load", begin);
  // A menu closes when the focus or a click goes elsewhere, and with Escape.
  const menus = document.querySelectorAll("details.al-menu");
  document.addEventListener("click", (event) => menus.forEach((menu) => menu.contains(event.target) || (menu.open = false)));
  document.addEventListener("keydown", (event) => event.key === "Escape" && menus.forEach((menu) => (menu.open = false)));
});
