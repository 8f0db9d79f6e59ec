'use strict';
// Sorts and filters the tables. Without it the page says the same; what it adds to the page, it adds as text, never as markup.

function valueOf(row, column) {
  const cell = row.cells[column];
  const number = cell.getAttribute('data-value');
  return number === null ? cell.textContent : Number(number);
}

function sort(table, header, column) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const numeric = rows.length > 0 && typeof valueOf(rows[0], column) === 'number';
  const was = header.getAttribute('aria-sort');
  const ascending = was === null ? !numeric : was === 'descending';
  rows.sort((one, other) => {
    const a = valueOf(one, column), b = valueOf(other, column);
    const order = numeric ? a - b : a.localeCompare(b);
    return ascending ? order : -order;
  });
  for (const other of header.parentNode.cells) other.removeAttribute('aria-sort');
  header.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
  body.append(...rows);
}

function makeSortable(table) {
  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = header.textContent;
    button.addEventListener('click', () => sort(table, header, column));
    header.replaceChildren(button);
  });
}

function makeFilter(table) {
  const label = document.createElement('label');
  const input = document.createElement('input');
  const shown = document.createElement('span');
  const rows = Array.from(table.tBodies[0].rows);
  input.type = 'search';
  shown.setAttribute('role', 'status');
  label.append('Show only rows with ', input);
  label.className = 'filter';
  shown.className = 'quiet';
  table.parentNode.before(label, ' ', shown);
  input.addEventListener('input', () => {
    const wanted = input.value.toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      count += !row.hidden;
    }
    shown.textContent = wanted ? count + ' of ' + rows.length + ' rows' : '';
  });
}

for (const table of document.querySelectorAll('table.sortable')) {
  makeSortable(table);
  if (table.tBodies[0].rows.length > 1 && table.id === 'all') makeFilter(table);
}
