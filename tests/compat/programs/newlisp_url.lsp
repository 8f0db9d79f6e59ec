; newLISP's get-url and post-url, without TLS.
(set 'mode (main-args 2) 'url (main-args 3))
(println (if (= mode "post") (post-url url "{}" "application/json") (get-url url)))
(exit)
