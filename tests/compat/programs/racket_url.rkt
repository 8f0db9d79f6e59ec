#lang racket/base
;; Racket's net/url: libssl's functions by address, over memory BIOs.
(require net/url racket/port)
(define-values (mode text) (apply values (vector->list (current-command-line-arguments))))
(define url (string->url text))
(define answer (if (equal? mode "post") (post-impure-port url #"{}") (get-impure-port url)))
(displayln (read-line answer))
