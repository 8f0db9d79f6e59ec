;; Emacs' url library: GnuTLS inside of Emacs. After a 401 of a scheme that it does not know it waits until its patience ends.
(setq network-security-level 'low gnutls-verify-error nil gnutls-trustfiles (list (getenv "CA")))
(let ((url-request-method (getenv "METHOD")) (url-request-data (if (equal (getenv "METHOD") "POST") "{}")))
  (url-retrieve-synchronously (getenv "URL") t t 3))
