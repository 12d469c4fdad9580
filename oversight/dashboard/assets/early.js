/* Charts need the largest script of all. It is fetched, and compiled beside everything else, as soon as the first sight of the
   page is painted: not before, when it would take the second processor from it, nor as late as the first chart asks for it. */
(function (address) {
  "use strict";
  requestAnimationFrame(function () {
    requestAnimationFrame(function () {
      // A page without charts, or of which no more than the frame is here, has no use for it yet.
      if (!document.querySelector("#first-sight .chart")) return;
      const link = document.createElement("link");
      link.rel = "preload";
      link.as = "script";
      link.href = address;
      document.head.append(link);
    });
  });
})(document.currentScript.dataset.plotly);
