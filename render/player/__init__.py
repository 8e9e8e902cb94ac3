"""One page that plays a clip: the ground truth and methods side by side, with sound, in any browser, from one file.

stage      what a page shows        payload   the same as a JSON document and one block of arrays
template   where both are put: the page that Vite has made of page/, which is the part that runs in the browser
"""
