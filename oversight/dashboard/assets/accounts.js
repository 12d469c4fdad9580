/* Whoever's session has ended is led to the sign-in page, and back afterwards. */
(function () {
  "use strict";
  const plain = window.fetch;
  window.fetch = function () {
    return plain.apply(this, arguments).then(function (answer) {
      if (answer.status !== 401) return answer;
      location.assign("/sign-in?next=" + encodeURIComponent(location.pathname + location.search));
      // The page is left: whoever waits for the answer is not to say that it failed.
      return new Promise(function () {});
    });
  };
})();
