/* Whoever's session has ended is led to the sign-in page, and back afterwards. */
(function () {
  "use strict";
  const plain = window.fetch;
  window.fetch = function () {
    return plain.apply(this, arguments).then(function (answer) {
      if (answer.status === 401) location.assign("/sign-in?next=" + encodeURIComponent(location.pathname + location.search));
      return answer;
    });
  };
})();
