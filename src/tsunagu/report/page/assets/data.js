"use strict";
// What is embedded in the page; the other files of this script find it here, and put what they offer beside it.
window.tsunagu = { data: JSON.parse(document.getElementById("data").textContent) };
