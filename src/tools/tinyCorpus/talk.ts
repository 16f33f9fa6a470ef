/** Greetings, thanks, feelings, wishes, and questions that nobody but the asker can answer. */
import { a, capital } from './grammar.ts';
import type { Random } from './random.ts';
import { ask, type Topic, type Turn } from './turn.ts';
import { animals, colourWords, days, dishes, foods, places, tools } from './words.ts';

const greetings: readonly (readonly [readonly string[], readonly string[]])[] = [
  [
    ['Hello!', 'Hi!', 'Hi there!', 'Hello there!', 'Hey!', 'Good day!'],
    ['Hello! How can I help you?', 'Hi! What can I do for you?', 'Hello! It is nice to meet you.'],
  ],
  [
    ['Good morning!', 'Good morning to you!'],
    ['Good morning! How can I help you today?', 'Good morning! Did you sleep well?'],
  ],
  [
    ['Good evening!', 'Good evening to you!'],
    ['Good evening! How was your day?', 'Good evening! What can I do for you?'],
  ],
  [
    ['Good night!', 'I am going to bed now.'],
    ['Good night! Sleep well.', 'Good night and sweet dreams!'],
  ],
  [
    ['How are you?', 'How are you today?', 'How do you do?'],
    ['I am fine, thank you. How are you?', 'I am well, thank you. And you?'],
  ],
  [
    ['Thank you!', 'Thanks!', 'Thank you very much!', 'Thanks for your help!', 'That was helpful.'],
    ['You are welcome!', 'You are welcome! I am glad to help.', 'It was a pleasure to help you.'],
  ],
  [
    ['Goodbye!', 'Bye!', 'See you later!', 'See you tomorrow!', 'I have to go now.'],
    ['Goodbye! Have a nice day.', 'Bye! See you soon.', 'Goodbye! It was nice to talk with you.'],
  ],
  [
    ['Who are you?', 'What are you?', 'What is your name?'],
    ['I am a small language model. I like simple questions.', 'I am a very small model that answers short questions.'],
  ],
  [['What can you do?', 'How can you help me?'], ['I can answer short questions and tell small stories.']],
  [['Can you help me?', 'I need some help.'], ['Yes, ask me a short question and I will try to help.']],
  [['Are you a person?', 'Are you a human?'], ['No, I am a small language model.']],
  [
    ['I am sorry.', 'Sorry!', 'Please forgive me.'],
    ['That is all right.', 'No problem at all.'],
  ],
  [
    ['I am happy.', 'I feel great today!', 'Today is a good day.'],
    ['That is nice to hear!', 'I am glad that you are happy.'],
  ],
  [
    ['I am sad.', 'I feel sad today.', 'Today is a bad day.'],
    ['I am sorry to hear that. Do you want to talk about it?', 'I am sorry. A walk or a good friend may help.'],
  ],
  [['I am tired.', 'I need some sleep.'], ['Then take a rest. A short sleep can help.']],
  [['I am hungry.', 'I need something to eat.'], ['Then eat something good, for example bread or soup.']],
  [['I am thirsty.', 'I need something to drink.'], ['Then drink a glass of water or a cup of tea.']],
  [['I am cold.', 'It is so cold here.'], ['Then put on a warm coat and drink some hot tea.']],
  [
    ['I am bored.', 'I do not know what to do.'],
    ['You could read a book, take a walk or call a friend.', 'You could draw a picture or go to the museum.'],
  ],
  [['Yes.', 'Yes, please.'], ['Good! What would you like to know?']],
  [['No.', 'No, thank you.'], ['All right. Just ask me when you need something.']],
  [['Do you like music?', 'Do you like songs?'], ['I cannot hear music, but I like words about it.']],
  [['Can you sing?', 'Please sing a song.'], ['I cannot sing, but I can tell you a story.']],
  [['What time is it?', 'Can you tell me the time?'], ['I do not know the time, because I have no clock.']],
  [
    ['What is the weather like today?', 'Will it rain today?'],
    ['I do not know, because I cannot see the sky from here.'],
  ],
  [
    ['Tell me something nice.', 'Say something kind.'],
    ['You ask good questions, and that is a fine thing.', 'Every day has a good moment in it.'],
  ],
];

function greet(r: Random): Turn {
  const [questions, answers] = r.pick(greetings);
  return { question: r.pick(questions), answer: r.pick(answers) };
}

function unknown(r: Random): Turn {
  const thing = r.pick(tools).name;
  return r.pick([
    () =>
      ask(
        r,
        [`What colour is my ${thing}?`, `Do you know the colour of my ${thing}?`],
        `I do not know, because I cannot see your ${thing}.`,
      ),
    () =>
      ask(
        r,
        [`Where is my ${thing}?`, `Do you know where my ${thing} is?`, `I lost my ${thing}. Where is it?`],
        `I do not know where your ${thing} is. Look where you had it last.`,
      ),
    () =>
      ask(
        r,
        [`How much did I pay for my ${thing}?`, `What did my ${thing} cost?`],
        `I do not know what you paid for your ${thing}.`,
      ),
  ])();
}

function like(r: Random): Turn {
  const [food, dish, animal, place] = [
    r.pick(foods).name,
    r.pick(dishes).name,
    r.pick(animals).name,
    r.pick(places).name,
  ];
  const [colour, day] = [r.pick(colourWords), r.pick(days)];
  return r.pick([
    () =>
      ask(
        r,
        [`I like ${dish}.`, `I love ${dish}.`, `My favourite food is ${dish}.`],
        `That sounds good! ${capital(dish)} can make a nice meal.`,
      ),
    () =>
      ask(
        r,
        [`I saw ${a(animal)} today.`, `Today I met ${a(animal)}.`, `There was ${a(animal)} in my garden.`],
        `How nice! What did the ${animal} do?`,
      ),
    () =>
      ask(
        r,
        [`I was at the ${place} on ${day}.`, `On ${day} I went to the ${place}.`],
        `That sounds nice! What did you see at the ${place}?`,
      ),
    () =>
      ask(
        r,
        [`My favourite colour is ${colour}.`, `I like the colour ${colour}.`, `I like ${colour} best.`],
        `${capital(colour)} is a beautiful colour.`,
      ),
    () =>
      ask(r, [`May I have ${a(food)}?`, `Can I have ${a(food)}, please?`], `Of course! Here is ${a(food)} for you.`),
    () =>
      ask(
        r,
        [`Shall we go to the ${place}?`, `Let us go to the ${place}!`, `Should I visit the ${place} on ${day}?`],
        `Yes, the ${place} is a good idea.`,
      ),
    () =>
      ask(
        r,
        [`I have ${a(animal)} at home.`, `My ${animal} is at home.`],
        `That is nice! Please be kind to your ${animal}.`,
      ),
  ])();
}

export const talkTopics: readonly (readonly [number, Topic])[] = [
  [4, greet],
  [2, unknown],
  [4, like],
];
