// The page of a contact: a part named in the address opens, and the bar with Save stands there while something is unsaved.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector(".ct-form");
  const openNamed = () => {
    const part = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!part) return;
    const details = part.closest("details") || part.querySelector(":scope > details");
    if (details) details.open = true;
    part.scrollIntoView({ block: "start" });
    part.querySelector(".ct-fields input:not([type=hidden]), .ct-fields select, textarea")?.focus({ preventScroll: true });
  };
  window.addEventListener("hashchange", openNamed);
  // A second press on the same link changes no address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) openNamed();
  });
  openNamed();
  if (!form) return;
  const unsaved = () => form.classList.add("ct-changed");
  form.addEventListener("input", unsaved);
  form.addEventListener("change", unsaved);
  form.addEventListener("click", (event) => event.target.closest(".add-row, .delete-template, .inline-deletelink") && unsaved());
  if (window.django?.jQuery) window.django.jQuery(form).on("select2:select select2:unselect", unsaved);
  form.querySelector("#mistakes")?.focus();
});
