;; Drakma: cl+ssl, that is libssl's functions by address.
(require :asdf)
(asdf:load-system :drakma)
(let ((mode (second sb-ext:*posix-argv*)) (url (third sb-ext:*posix-argv*)))
  (print (nth-value 1 (if (string= mode "post")
                          (drakma:http-request url :method :post :content "{}" :preserve-uri t :verify nil)
                          (drakma:http-request url :preserve-uri t :verify nil)))))
